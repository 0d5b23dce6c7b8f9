"""Measurements of the directory: what a sign-up costs beside its password hash, and lookups as the store grows."""
