// The first visit: how strong a password is, and an address made from a name until a person writes their own.
const WORDS = ["Too short", "Weak", "Fair", "Good", "Strong"];
const SHORTEST = 10;

// Rough on purpose: length, variety and repetition. The server's own check decides.
const strength = (text) => {
  if (text.length < SHORTEST) return 0;
  const distinct = new Set(text).size;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(text)).length;
  const bits = distinct * Math.log2(10 + kinds * 20) * Math.min(text.length / SHORTEST, 2);
  return bits < 40 ? 1 : bits < 60 ? 2 : bits < 85 ? 3 : 4;
};

document.addEventListener("input", (event) => {
  const bar = document.getElementById(event.target.dataset?.strength || "");
  if (!bar) return;
  const found = strength(event.target.value);
  bar.style.setProperty("--part", `${event.target.value ? Math.max(8, found * 25) : 0}%`);
  const word = document.getElementById("strength-word");
  if (word) word.textContent = event.target.value ? WORDS[found] : "At least 10 characters. Length counts for more than signs.";
});

const slug = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);

for (const address of document.querySelectorAll("[data-slug-of]")) {
  const name = document.getElementById(address.dataset.slugOf);
  let own = address.value !== "";
  address.addEventListener("input", () => { own = address.value !== ""; });
  name.addEventListener("input", () => { if (!own) address.value = slug(name.value); });
}
