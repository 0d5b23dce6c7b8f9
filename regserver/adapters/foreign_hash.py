"""Password hashes that other software has made, for accounts that were brought along from it.

Each is recognised by how it begins. What it costs to compare is bounded when it is taken in, since from then on anybody
who knows the user name can make the server compare it:

    memory  MOST_SHARE of password.max_memory
    time    about half a second on a small machine; by rounds, as each scheme counts them

libpass compares most of them, hashlib those that werkzeug writes, and argon2-cffi every kind of argon2.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

import argon2
import msgspec

from regserver.domain.imported_person import AdoptedHash, UnusableHash

MOST_SHARE = 4
"""One comparison gets this part of password.max_memory at most; the others share the rest."""
MOST_LENGTH = 1024
"""Characters of a hash."""
MOST_ARGON2_WORK = 1 << 30
"""Bytes of memory times passes."""
MOST_SCRYPT_WORK = 1 << 29
"""Bytes of memory times lanes."""
MOST_LANES = 16
"""Threads of one argon2."""
BCRYPT_BYTES = 72
"""What bcrypt takes into account of a password."""

# The start of a hash → the name of its handler in libpass, and the most rounds: of bcrypt and scrypt the logarithm.
_HANDLERS: Mapping[str, tuple[str, int]] = {
    "$2a$": ("bcrypt", 14),
    "$2b$": ("bcrypt", 14),
    "$2y$": ("bcrypt", 14),
    "$scrypt$": ("scrypt", 20),
    "$pbkdf2$": ("pbkdf2_sha1", 2_000_000),
    "$pbkdf2-sha256$": ("pbkdf2_sha256", 2_000_000),
    "$pbkdf2-sha512$": ("pbkdf2_sha512", 1_000_000),
    "pbkdf2_sha1$": ("django_pbkdf2_sha1", 2_000_000),
    "pbkdf2_sha256$": ("django_pbkdf2_sha256", 2_000_000),
    "$6$": ("sha512_crypt", 1_000_000),
    "$5$": ("sha256_crypt", 1_000_000),
    "$1$": ("md5_crypt", 0),
    "$apr1$": ("apr_md5_crypt", 0),
    "{SSHA}": ("ldap_salted_sha1", 0),
    "{SSHA256}": ("ldap_salted_sha256", 0),
    "{SSHA512}": ("ldap_salted_sha512", 0),
    "{SMD5}": ("ldap_salted_md5", 0),
}
# What some software puts before a hash that is known without it: Django, and LDAP.
_WRAPPINGS = ("argon2", "bcrypt$", "{CRYPT}", "{ARGON2}", "{BCRYPT}")
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)(?:\$v=[0-9]{1,3})?\$m=[0-9]{1,9},t=[0-9]{1,6},p=[0-9]{1,3}"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}"
)
_WERKZEUG_SCRYPT = re.compile(r"scrypt:([0-9]{1,8}):([0-9]{1,3}):([0-9]{1,3})\$([^$]{1,64})\$([0-9a-f]{128})")
_WERKZEUG_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):([0-9]{1,8})\$([^$]{1,64})\$([0-9a-f]{40,128})")
_MOST_PBKDF2 = {"sha1": 2_000_000, "sha256": 2_000_000, "sha512": 1_000_000}


class ForeignHash(msgspec.Struct, frozen=True):
    """One hash. memory: bytes that a comparison takes. work: its cost over the most that is taken; above 1 is refused.

    compare: whether a password, as UTF-8, was hashed to it.
    """

    memory: int
    work: float
    compare: Callable[[bytes], bool]


def foreign_memory(max_memory: int) -> int:
    """The most bytes that comparing one of them may take. max_memory: of the setting."""
    return max_memory // MOST_SHARE


def read_foreign(encoded: str) -> ForeignHash | None:
    """The hash in its text form; None for any other text, and for argon2."""
    if len(encoded) > MOST_LENGTH or not encoded.isascii():
        return None
    if (match := _WERKZEUG_SCRYPT.fullmatch(encoded)) is not None:
        return _werkzeug_scrypt(*match.groups())
    if (match := _WERKZEUG_PBKDF2.fullmatch(encoded)) is not None:
        return _werkzeug_pbkdf2(*match.groups())
    for start, (name, most) in _HANDLERS.items():
        if encoded.startswith(start):
            return _by_libpass(name, most, encoded)
    return None


def adopt_hash(encoded: str, most_memory: int) -> AdoptedHash | UnusableHash:
    """The hash as it is to be stored, if this server can compare it at a bounded cost. most_memory: see `foreign_memory`."""
    text = encoded.strip()
    for wrapping in _WRAPPINGS:
        if text.startswith(f"{wrapping}$"):
            text = text.removeprefix(wrapping)
    found = _argon2_cost(text) if text.startswith("$argon2") else read_foreign(text)
    if found is None:
        return UnusableHash("this kind of hash is not known, or it is damaged")
    if found.memory > most_memory:
        needed, allowed = (-(-size // 1024) for size in (found.memory, most_memory))
        return UnusableHash(
            f"comparing it takes {needed} KiB of memory, and password.max_memory allows {allowed}"
        )
    if found.work > 1:
        return UnusableHash("comparing it takes too long: it has too many rounds")
    return AdoptedHash(text)


def _by_libpass(name: str, most: int, encoded: str) -> ForeignHash | None:
    from passlib import hash as handlers  # type: ignore[import-untyped]  # no types; with bcrypt 1 MiB, 10 ms

    handler: Any = getattr(handlers, name)
    try:
        parsed = handler.from_string(encoded)
    except (ValueError, TypeError):
        return None
    if not parsed.checksum:
        return None
    rounds, memory, work = getattr(parsed, "rounds", None) or 0, 0, 0.0
    if name == "scrypt":
        memory = 128 * parsed.block_size << rounds if rounds <= most else 1 << 62
        work = memory * parsed.parallelism / MOST_SCRYPT_WORK
    elif most:
        work = rounds / most if name != "bcrypt" else float(2 ** (rounds - most))

    def compare(password: bytes) -> bool:
        typed = password[:BCRYPT_BYTES] if name == "bcrypt" else password
        return bool(handler.verify(typed, encoded))

    return ForeignHash(memory, work, compare)


def _werkzeug_scrypt(n: str, r: str, p: str, salt: str, digest: str) -> ForeignHash | None:
    cost, size, lanes = int(n), int(r), int(p)
    if cost < 2 or cost & (cost - 1) or not size or not lanes:
        return None
    memory = 128 * size * cost

    def compare(password: bytes) -> bool:
        room = memory + 128 * size * (lanes + 2) + (1 << 16)
        made = hashlib.scrypt(password, salt=salt.encode(), n=cost, r=size, p=lanes, maxmem=room)
        return hmac.compare_digest(made.hex(), digest)

    return ForeignHash(memory, memory * lanes / MOST_SCRYPT_WORK, compare)


def _werkzeug_pbkdf2(method: str, rounds: str, salt: str, digest: str) -> ForeignHash | None:
    count = int(rounds)
    if not count:
        return None

    def compare(password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(method, password, salt.encode(), count)
        return hmac.compare_digest(made.hex(), digest)

    return ForeignHash(0, count / _MOST_PBKDF2[method], compare)


def _argon2_cost(encoded: str) -> ForeignHash | None:
    """What it takes. Argon2Hasher compares it as one of its own, so this does not."""
    if _ARGON2.fullmatch(encoded) is None:
        return None
    found = argon2.extract_parameters(encoded)
    if (
        not 1 <= found.parallelism <= MOST_LANES
        or found.memory_cost < 8 * found.parallelism
        or not found.time_cost
    ):
        return None
    memory = found.memory_cost * 1024
    return ForeignHash(memory, memory * found.time_cost / MOST_ARGON2_WORK, lambda password: False)
