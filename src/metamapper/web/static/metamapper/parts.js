// Twisties, copy buttons, filters of what is on the page, bars of progress, forms that ask before they act, what stays unfolded.
const announce = (button, word) => {
  const before = button.textContent;
  button.textContent = word;
  setTimeout(() => { button.textContent = before; }, 2000);
};

const twist = (button) => {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  button.closest("tr")?.classList.toggle("is-open", open);
  document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
};

const copy = async (button) => {
  const source = button.dataset.copy ? document.getElementById(button.dataset.copy) : null;
  try {
    await navigator.clipboard.writeText(source ? source.textContent : button.dataset.copyText || location.href);
    announce(button, "Copied");
  } catch {
    if (source) getSelection().selectAllChildren(source);
    announce(button, "Press Ctrl-C");
  }
};

document.addEventListener("click", (event) => {
  const twisty = event.target.closest("button[aria-controls]:not([data-menu-toggle])");
  if (twisty) twist(twisty);
  const copier = event.target.closest("[data-copy], [data-copy-text]");
  if (copier) copy(copier);
});

// A filter names the rows it filters: data-filter="#columns tbody tr".
document.addEventListener("input", (event) => {
  const input = event.target.closest("[data-filter]");
  if (!input) return;
  const wanted = input.value.trim().toLowerCase();
  let left = 0;
  for (const row of document.querySelectorAll(input.dataset.filter)) {
    if (row.matches(".mm-detail")) continue;
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    left += row.hidden ? 0 : 1;
    const detail = row.nextElementSibling;
    if (detail?.matches(".mm-detail")) detail.hidden = row.hidden || !row.matches(".is-open");
  }
  const nothing = document.querySelector(input.dataset.filterNothing || ":not(*)");
  if (nothing) nothing.hidden = left > 0;
});

// A typed name sets a button free: data-unlock="name" on the input, the button is in the same form.
document.addEventListener("input", (event) => {
  const input = event.target.closest("[data-unlock]");
  if (input) input.form.querySelector("[data-locked]").disabled = input.value.trim() !== input.dataset.unlock;
});

const measure = (node) => {
  for (const bar of node.querySelectorAll("[data-part]")) bar.style.setProperty("--part", `${bar.dataset.part}%`);
};
measure(document);
document.addEventListener("htmx:load", (event) => measure(event.target.parentElement || document));

// A field whose row carries an error says so to a screen reader too.
const flag = () => {
  for (const row of document.querySelectorAll(".mm-row")) {
    const bad = row.querySelector(".mm-error") !== null;
    for (const input of row.querySelectorAll("input, select, textarea")) {
      if (bad) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
};
flag();
document.addEventListener("htmx:afterSettle", flag);

// What somebody unfolded stays so when it comes anew: data-keep="name" on the details.
const unfolded = new Set();
document.addEventListener("toggle", ({ target }) => {
  if (target.dataset?.keep) unfolded[target.open ? "add" : "delete"](target.dataset.keep);
}, true);
document.addEventListener("htmx:load", () => {
  for (const each of document.querySelectorAll("details[data-keep]")) each.open = unfolded.has(each.dataset.keep);
});
