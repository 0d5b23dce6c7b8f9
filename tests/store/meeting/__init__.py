"""Places where two units of work can meet, a module for each part of the server."""
