"""The plugin manager: built-in subscribers register in their AppConfig, others by the entry point ``metamapper.plugins``."""

import pluggy

from metamapper.plugins.specs import PROJECT, Specs

manager = pluggy.PluginManager(PROJECT)
manager.add_hookspecs(Specs)
hooks = manager.hook


def load_entry_points() -> int:
    """Register plugins of other packages; the number of them."""
    return manager.load_setuptools_entrypoints("metamapper.plugins")
