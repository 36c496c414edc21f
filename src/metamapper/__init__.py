"""Metamapper: a self-hosted, self-updating data catalog."""
