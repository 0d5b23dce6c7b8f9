"""The rooms of the started product: durable posts, fan-out, recovery, and the cost of a long log."""
