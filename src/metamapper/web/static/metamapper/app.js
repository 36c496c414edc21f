// Behaviour of every page. Each module adds to what already works without it; none of them is needed to read a page.
import "./choices.js";
import "./describing.js";
import "./entrance.js";
import "./keys.js";
import "./menu.js";
import "./palette.js";
import "./parts.js";
import "./results.js";
import "./theme.js";
import "./zone.js";
