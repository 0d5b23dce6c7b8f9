"""The packed program and the units that run it."""
