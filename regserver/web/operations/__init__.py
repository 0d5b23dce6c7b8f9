"""For operators and their machines: health and metrics."""
