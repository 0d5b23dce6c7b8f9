"""Measurements of the two stores."""
