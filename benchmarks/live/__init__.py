"""Many live registrations at once: the cost of each, the delay to its observers, and the load of the event loop."""
