"""The front door beside what else people would use, and the sessions of the product that stand on it."""
