"""The servers that are measured, a module each; benchmarks.front.server starts them."""
