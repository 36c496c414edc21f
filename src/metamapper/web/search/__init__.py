"""The search page and the palette."""
