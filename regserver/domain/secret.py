"""Opaque secrets: bearer tokens, tickets and challenges. Only their SHA-256 is stored."""

import base64
import hashlib
import hmac
import re
from typing import Literal, NewType

SecretHash = NewType("SecretHash", bytes)
"""SHA-256 of a secret of at least 128 random bits; too weak for a password or a short code."""

TokenPrefix = Literal["regs_", "regt_", "regf_", "regr_", "regl_", "regi_", "rego_", "regs_op_"]
"""Secret scanners find our tokens by it. regs_: a session. regt_: a ticket, for one WebSocket. regf_: a ticket that asks
for a second factor. regr_: a registration by steps, where it proves that the client knew the code, and is good for nothing
else. regl_: a link that was mailed. regi_: an invitation. rego_: a session at the operator's page. regs_op_: an operator key.
"""

TOKEN_BYTES = 32

# Without the links of mails: where mail is only written to the log, for trying out, somebody follows them from there.
_SHAPE = re.compile(r"(regs_op_|reg[firsto]_)[A-Za-z0-9_-]{43}", re.ASCII)


def new_token(prefix: TokenPrefix, randomness: bytes) -> str:
    """A URL-safe token of `prefix` and 32 random bytes (256 bits). Raises ValueError for any other number."""
    if len(randomness) != TOKEN_BYTES:
        raise ValueError(f"a token takes {TOKEN_BYTES} random bytes")
    return prefix + base64.urlsafe_b64encode(randomness).rstrip(b"=").decode()


def hash_secret(secret: str) -> SecretHash:
    """The stored form of a secret."""
    return SecretHash(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest())


def hash_bytes(secret: bytes) -> SecretHash:
    """The stored form of a secret that is no text."""
    return SecretHash(hashlib.sha256(secret).digest())


def matches(expected: SecretHash | None, given: str | None) -> bool:
    """Whether `expected` is the hash of `given`, compared in constant time; False when either is None."""
    return expected is not None and given is not None and hmac.compare_digest(expected, hash_secret(given))


def redact_secrets(text: str) -> str:
    """Replaces every token and ticket by its prefix and an ellipsis."""
    return _SHAPE.sub(lambda found: found[1] + "…", text)
