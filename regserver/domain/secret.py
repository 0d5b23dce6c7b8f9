"""Opaque secrets: bearer tokens, tickets and challenges. Only their SHA-256 is stored."""

import base64
import hashlib
import re
from typing import NewType

SecretHash = NewType("SecretHash", bytes)
"""SHA-256 of a secret of at least 128 random bits; too weak for a password or a short code."""

TOKEN_PREFIX = "regs_"  # noqa: S105  (the prefix by which secret scanners find our tokens)
TICKET_PREFIX = "regt_"
TOKEN_BYTES = 32

_SHAPE = re.compile(r"reg[rst]_[A-Za-z0-9_-]{43}", re.ASCII)


def new_token(randomness: bytes) -> str:
    """A bearer token from 32 random bytes (256 bits), URL-safe, with the prefix."""
    return TOKEN_PREFIX + _encode(randomness)


def new_ticket(randomness: bytes) -> str:
    """A single-use WebSocket ticket from 32 random bytes."""
    return TICKET_PREFIX + _encode(randomness)


def _encode(randomness: bytes) -> str:
    if len(randomness) != TOKEN_BYTES:
        raise ValueError(f"a token takes {TOKEN_BYTES} random bytes")
    return base64.urlsafe_b64encode(randomness).rstrip(b"=").decode()


def hash_secret(secret: str) -> SecretHash:
    """The stored form of a secret."""
    return SecretHash(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest())


def redact_secrets(text: str) -> str:
    """Replaces every token and ticket by its prefix and an ellipsis."""
    return _SHAPE.sub(lambda found: found.group()[:5] + "…", text)
