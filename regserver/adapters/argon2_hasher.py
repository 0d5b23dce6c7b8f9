"""Password hashing with argon2id, in as many threads as the memory bound allows.

argon2-cffi releases the interpreter's lock. Each hash contains its parameters, so it stays valid when the configuration
changes.
"""

import argon2
import msgspec
import trio

from regserver.config.setting import PasswordSection
from regserver.ports.password_hasher import PasswordHasher


class Argon2Hasher(PasswordHasher):
    """time_cost: passes. memory: bytes per hash. parallelism: lanes. max_memory: bytes for all simultaneous hashes."""

    def __init__(self, *, time_cost: int, memory: int, parallelism: int, max_memory: int) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory // 1024, parallelism=parallelism
        )
        self._limiter = trio.CapacityLimiter(max(1, max_memory // memory))
        # An unknown user's password is compared with this hash, so that the answer takes as long as for a known one.
        self._decoy = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """A new hash with parameters and salt, in argon2's text form."""
        return await trio.to_thread.run_sync(self._hasher.hash, _bytes(password), limiter=self._limiter)

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Whether the password was hashed to `encoded`; False for None, after the same time."""
        return await trio.to_thread.run_sync(self._verify, password, encoded, limiter=self._limiter)

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash has other parameters than a new one."""
        try:
            return self._hasher.check_needs_rehash(encoded)
        except argon2.exceptions.InvalidHashError:
            return False

    def _verify(self, password: str, encoded: str | None) -> bool:
        try:
            matches = self._hasher.verify(encoded or self._decoy, _bytes(password))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return matches and encoded is not None


def build_hasher(cost: PasswordSection) -> Argon2Hasher:
    """The hasher with the configured parameters."""
    return Argon2Hasher(**msgspec.structs.asdict(cost))


def _bytes(password: str) -> bytes:
    """UTF-8. Lone surrogates, which JSON allows, become bytes of their own instead of an exception."""
    return password.encode("utf-8", "surrogatepass")
