// A description that is being edited: how much room is left, and Escape leaves it as it was.
const count = (input) => {
  const shown = document.getElementById(input.dataset.count);
  // Characters as people count them, not as the text is stored.
  const length = [...input.value.trim()].length;
  shown.textContent = `${length} / ${input.dataset.limit}`;
  shown.classList.toggle("is-over", length > Number(input.dataset.limit));
};

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-count]")) count(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const leave = event.target.closest("[data-editing]")?.querySelector("[data-leave]");
  if (leave) leave.click();
});

// The keyboard stays where the person was: in the field when it opens, on its button when it closes.
document.addEventListener("htmx:afterSwap", (event) => {
  const id = event.detail.target?.id;
  const now = id?.startsWith("said-") ? document.getElementById(id) : null;
  const field = now?.querySelector("input[name=text]");
  if (field) field.select();
  else now?.querySelector(".mm-edit")?.focus();
});
