"""An import that fails."""

raise RuntimeError("the moon is full")
