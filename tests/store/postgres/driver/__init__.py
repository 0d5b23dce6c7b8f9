"""The driver against a real PostgreSQL: of this program it needs nothing."""
