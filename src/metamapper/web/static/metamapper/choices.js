// Fields that belong to one choice of a select: data-when='{"set_sign_in": ["keys"]}' on a row of the form. What is hidden is
// not sent; "" among the values means that what it depends on is itself hidden. The server knows the same rule and has the last word.
const fits = (row) => Object.entries(JSON.parse(row.dataset.when)).every(([name, values]) => {
  const input = row.closest("form").elements[name];
  return values.includes(input && !input.disabled ? input.value : "");
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("#settings select")) return;
  for (const row of event.target.form.querySelectorAll("[data-when]")) {
    row.hidden = !fits(row);
    for (const input of row.querySelectorAll("input, select, textarea")) input.disabled = row.hidden;
  }
});
