// `/` goes to the box, Ctrl-K (or Command-K) to the palette.
import { openPalette } from "./palette.js";

const typing = (node) => node.matches("input, textarea, select") || node.isContentEditable;
const visible = (node) => node && node.getClientRects().length > 0;

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    if (openPalette()) event.preventDefault();
  } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
    const box = document.querySelector("[data-search]");
    if (visible(box)) box.focus();
    else if (!openPalette()) return;
    event.preventDefault();
  }
});
