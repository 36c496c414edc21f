// The results of a search: arrows choose one, Enter opens it, a facet that is ticked is spelled out in the box.
const box = document.querySelector("[data-search]");
const frame = () => document.querySelector("#search");
const results = () => [...document.querySelectorAll(".mm-result")];
const current = () => document.querySelector(".mm-result[aria-current]");
const elsewhere = (node) => node !== box && node.closest("input, textarea, select, button, a, summary, dialog");

const move = (by) => {
  const all = results();
  const next = all[Math.min(Math.max(all.indexOf(current()) + by, 0), all.length - 1)];
  for (const each of all) each.removeAttribute("aria-current");
  next?.setAttribute("aria-current", "true");
  next?.scrollIntoView({ block: "nearest" });
};

// What is typed may be newer than what is shown: then Enter asks, as in any form.
const answered = (event) => event.target !== box || box.value.trim() === frame().dataset.answers;

const open = (event) => {
  const link = answered(event) && current()?.querySelector("a");
  if (link) link.click();
  return Boolean(link);
};

const KEYS = {
  ArrowDown: () => { move(1); return true; },
  ArrowUp: () => { move(-1); return true; },
  Enter: open,
};

document.addEventListener("keydown", (event) => {
  if (!frame() || !KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey || elsewhere(event.target)) return;
  if (KEYS[event.key](event)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  const text = event.target.dataset?.refines;
  if (text !== undefined && box) box.value = text;
});
