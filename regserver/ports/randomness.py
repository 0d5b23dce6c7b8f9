"""Random bytes and numbers that nobody can guess."""

from typing import Protocol


class Randomness(Protocol):
    """A cryptographic random generator."""

    def bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""

    def below(self, bound: int) -> int:
        """A uniform integer, 0 <= n < bound."""
