"""The pages for browsers without scripts."""
