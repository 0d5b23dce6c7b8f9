"""Incidents of comparable servers, each kept as a test named after its lesson."""
