"""The seven promises, a module each. Shown here on the pure functions by the thousand; with the metastore beside them."""
