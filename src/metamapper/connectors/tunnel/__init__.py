"""Reaching a datastore through one SSH host or a chain of them: a tunnel that lives as long as the work that uses it."""
