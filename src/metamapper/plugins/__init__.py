"""The published extension surface: hook specifications and the manager that calls them."""

from metamapper.plugins.manager import hooks, manager
from metamapper.plugins.specs import hookimpl

__all__ = ["hookimpl", "hooks", "manager"]
