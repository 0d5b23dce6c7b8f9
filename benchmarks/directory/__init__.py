"""Measurements of the directory: the cost of a sign-up compared with its password hash, and of look-ups in growing stores."""
