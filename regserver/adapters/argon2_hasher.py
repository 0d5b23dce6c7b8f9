"""Password hashing with argon2id, in as many threads as memory and processors allow.

argon2-cffi releases the interpreter's lock. Each hash contains its parameters, so it stays valid when the configuration
changes. A hash of another kind, or a larger one, came with an account from other software; it is outdated from the start.
"""

import os
from base64 import b64encode

import argon2
import msgspec

from regserver.adapters.common_password import load_common_passwords
from regserver.adapters.foreign_hash import foreign_memory, read_foreign
from regserver.adapters.hash_queue import HashQueue
from regserver.config.setting import PasswordSection
from regserver.domain.password import is_one_of, normal_form, spellings
from regserver.ports.password_hasher import PasswordHasher, PasswordMatch

OURS = "$argon2"
"""How the hashes begin that argon2-cffi compares."""


class Argon2Hasher(PasswordHasher):
    """time_cost: passes. memory: bytes per hash. parallelism: lanes. max_memory: bytes for all simultaneous hashes."""

    def __init__(self, *, time_cost: int, memory: int, parallelism: int, max_memory: int) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory // 1024, parallelism=parallelism
        )
        # More threads than processors would make each hash slower, and no turn come sooner.
        places = (max_memory - foreign_memory(max_memory)) // memory
        self._queue = HashQueue(max(1, min(places, os.cpu_count() or 1)))
        # Hashes that take more memory than ours, one at a time, so that all of them stay below max_memory.
        self._large = HashQueue(1)
        self._memory = memory
        # An unknown user's password is compared with this hash, so that the answer takes as long as for a known one. It is drawn,
        # since making one of a password would keep each start waiting.
        self._decoy = (
            f"$argon2id$v={argon2.low_level.ARGON2_VERSION}$m={memory // 1024},t={time_cost},p={parallelism}"
            f"${_random(argon2.DEFAULT_RANDOM_SALT_LENGTH)}${_random(argon2.DEFAULT_HASH_LENGTH)}"
        )
        self._common = load_common_passwords()

    async def hash(self, password: str) -> str:
        """A new hash with parameters and salt, in argon2's text form."""
        text = _bytes(normal_form(password))
        return await self._queue.run(lambda: self._hasher.hash(text))

    async def verify(self, password: str, encoded: str | None) -> PasswordMatch:
        """Tries each form that an older hash may be of: how many there are follows from the password alone."""
        queue = self._large if self._is_large(encoded) else self._queue
        return await queue.run(lambda: self._verify(password, encoded))

    def is_guessable(self, password: str, *own: str | None) -> bool:
        """Looks the password up in the built-in list."""
        return password in self._common or is_one_of(password, filter(None, own))

    def _is_large(self, encoded: str | None) -> bool:
        if encoded is None:
            return False
        if encoded.startswith(OURS):
            try:
                return argon2.extract_parameters(encoded).memory_cost * 1024 > self._memory
            except argon2.exceptions.InvalidHashError:
                return False
        foreign = read_foreign(encoded)
        return foreign is not None and foreign.memory > self._memory

    def _verify(self, password: str, encoded: str | None) -> PasswordMatch:
        if encoded is not None and not encoded.startswith(OURS):
            return self._verify_foreign(password, encoded)
        for number, spelling in enumerate(spellings(password)):
            if self._matches(spelling, encoded or self._decoy) and encoded is not None:
                outdated = number > 0 or self._hasher.check_needs_rehash(encoded)
                return PasswordMatch.OUTDATED if outdated else PasswordMatch.RIGHT
        return PasswordMatch.WRONG

    def _verify_foreign(self, password: str, encoded: str) -> PasswordMatch:
        """A wrong password costs one of ours as well: many foreign ones are so fast that their time would tell them."""
        # Where some schemes see the end of the password, or no difference, ours go on.
        foreign = None if "\0" in password else read_foreign(encoded)
        for spelling in spellings(password):
            if foreign is not None and foreign.compare(_bytes(spelling)):
                return PasswordMatch.OUTDATED
            self._matches(spelling, self._decoy)
        return PasswordMatch.WRONG

    def _matches(self, spelling: str, encoded: str) -> bool:
        try:
            return self._hasher.verify(encoded, _bytes(spelling))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def build_hasher(cost: PasswordSection) -> Argon2Hasher:
    """The hasher with the configured parameters."""
    return Argon2Hasher(**msgspec.structs.asdict(cost))


def _random(length: int) -> str:
    return b64encode(os.urandom(length)).decode().rstrip("=")


def _bytes(password: str) -> bytes:
    """UTF-8. Lone surrogates, which JSON allows, become bytes of their own instead of an exception."""
    return password.encode("utf-8", "surrogatepass")
