"""Password hashing, slow by design."""

from typing import Protocol


class PasswordHasher(Protocol):
    """Slow by design: every method waits for a place among a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """The encoded hash, with its parameters and salt."""

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Whether the password is the one that was hashed; None costs the same time and is False."""

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return False
