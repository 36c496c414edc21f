// Go to, or do: a native dialog. The server sends the options; here they are chosen by key and by pointer.
// An option is a link or a form's button with role="option"; Enter opens the chosen one, Ctrl-Enter the one marked data-all.
const dialog = document.querySelector(".mm-palette");
const input = dialog?.querySelector("input");

export const openPalette = () => {
  if (!dialog) return false;
  if (!dialog.open) dialog.showModal();
  input.select();
  input.dispatchEvent(new Event("palette-open"));
  return true;
};

const options = () => [...dialog.querySelectorAll('[role="option"]')];
const chosen = () => dialog.querySelector('[role="option"][aria-selected="true"]');

const choose = (option) => {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    option.id ||= `option-${options().indexOf(option)}`;
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
};

const move = (by) => {
  const all = options();
  if (all.length) choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
};

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: (event) => (event.ctrlKey ? dialog.querySelector("[data-all]") : chosen())?.click(),
};

if (dialog) {
  input.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
  dialog.addEventListener("pointermove", (event) => {
    const option = event.target.closest('[role="option"]');
    if (option && option !== chosen()) choose(option);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("htmx:afterSwap", () => choose(options()[0]));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) openPalette();
  });
}
