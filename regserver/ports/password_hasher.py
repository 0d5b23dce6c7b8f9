"""Password hashing, slow by design."""

from typing import Protocol


class PasswordHasher(Protocol):
    """Hashes and verifies passwords in a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """The encoded hash, with its parameters and salt."""

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Whether the password was hashed to `encoded`; False for None, after the same time."""

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made at another cost than new ones."""
        return False
