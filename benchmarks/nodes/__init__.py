"""Measurements of two nodes on one PostgreSQL."""
