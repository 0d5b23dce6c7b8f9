"""Random bytes and numbers that nobody can guess."""

from typing import Protocol


class Randomness(Protocol):
    def bytes(self, count: int) -> bytes:
        """`count` bytes from a cryptographic generator."""

    def below(self, bound: int) -> int:
        """A uniform integer, 0 <= n < bound."""
