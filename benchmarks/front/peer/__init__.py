"""The measured servers, a module each; benchmarks.front.server starts them."""
