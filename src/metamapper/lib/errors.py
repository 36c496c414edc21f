"""Errors of our own that need no domain word."""


class ConfigurationError(Exception):
    """The program cannot start as it is configured. The text names the setting and the fix."""
