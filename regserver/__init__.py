"""regserver: one registration server, four doors, one account."""

__version__ = "0.1.0"
