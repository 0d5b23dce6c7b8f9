"""Many live registrations at once: what each costs, how soon its observers see it, and what the loop feels of it."""
