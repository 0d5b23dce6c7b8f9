"""The rooms of the started product: durable posts, fan-out, recovery, and what a long log costs."""
