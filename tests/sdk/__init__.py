"""The JavaScript client that the server serves."""
