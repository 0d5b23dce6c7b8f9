"""Password hashing with argon2id, in threads, as many at once as the memory bound allows.

argon2-cffi does the work and releases the interpreter's lock while it does. Parameters travel inside each hash, so
changing them in the configuration leaves older hashes valid.
"""

import argon2
import trio

from regserver.ports.password_hasher import PasswordHasher


class Argon2Hasher(PasswordHasher):
    """time_cost: passes. memory: bytes for each hash. parallelism: lanes. max_memory: bytes for all hashes at once."""

    def __init__(self, *, time_cost: int, memory: int, parallelism: int, max_memory: int) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory // 1024, parallelism=parallelism
        )
        self._limiter = trio.CapacityLimiter(max(1, max_memory // memory))
        # What an unknown user's password is held against, so that it takes the same time.
        self._decoy = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        return await trio.to_thread.run_sync(self._hasher.hash, _bytes(password), limiter=self._limiter)

    async def verify(self, password: str, encoded: str | None) -> bool:
        return await trio.to_thread.run_sync(self._verify, password, encoded, limiter=self._limiter)

    def is_outdated(self, encoded: str) -> bool:
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


def _bytes(password: str) -> bytes:
    """UTF-8; lone surrogates, which JSON can smuggle in, get bytes of their own instead of an exception."""
    return password.encode("utf-8", "surrogatepass")
