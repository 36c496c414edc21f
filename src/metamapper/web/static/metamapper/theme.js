// Light or dark: shown at once, kept by the server (with the person, or in a cookie).
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const shown = () => root.dataset.bsTheme || (dark.matches ? "dark" : "light");

const show = (theme) => {
  if (theme) root.dataset.bsTheme = theme;
  else delete root.dataset.bsTheme;
  for (const button of document.querySelectorAll("[data-theme-form] [aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const inGroup = event.submitter?.hasAttribute("aria-pressed");
  const theme = inGroup ? event.submitter.value : shown() === "dark" ? "light" : "dark";
  show(theme);
  const body = new FormData(form);
  body.set("theme", theme);
  fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
});
