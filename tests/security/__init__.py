"""Attacks and reports from the field, each kept as a test on a running server."""
