// The menu of narrow screens: places and rail.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu-toggle]");
  if (!button) return;
  const open = document.documentElement.dataset.menu !== "open";
  document.documentElement.dataset.menu = open ? "open" : "";
  button.setAttribute("aria-expanded", String(open));
});
