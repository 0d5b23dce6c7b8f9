"""The directory door."""
