"""Second factors: one-time codes of an authenticator app (RFC 6238), recovery codes, and the ticket that asks for either.

    off ── enrol ──▶ pending ── confirm, with a right code ──▶ on ── remove, with the password ──▶ off
                     ▲     │ enrol: another secret
                     └─────┘

A right password alone gives an account with a second factor a ticket; ticket and code together give a session.
"""

import base64
import hashlib
import hmac
from typing import Literal, NewType

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import MINUTE, Duration, Instant

RecoveryHash = NewType("RecoveryHash", bytes)
"""Keyed hash of a recovery code, which has too few bits for a plain one."""
FactorPurpose = Literal["sign_in", "restore"]
"""What a ticket is good for: signing in, or bringing a deleted account back as well."""

FACTOR_TICKET_LIFE = Duration(5 * MINUTE)
MOST_FACTOR_TICKETS = 20
"""Tickets of one account at once; the newest stay. Each costs a right password."""

TOTP_SECRET_BYTES = 20
"""As long as the HMAC that it keys (RFC 4226, section 4, R6)."""
TOTP_DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10
_GROUP = 4


class Totp(msgspec.Struct, frozen=True):
    """An account's authenticator app. sealed: the shared secret, encrypted. enabled_at: None while it waits for a first code.

    last_step: the newest time step whose code was taken.
    """

    sealed: bytes
    enabled_at: Instant | None
    last_step: int


class FactorTicket(msgspec.Struct, frozen=True):
    """A ticket, without its secret."""

    account: AccountId
    purpose: FactorPurpose
    expires_at: Instant


def recovery_code(randomness: bytes) -> str:
    """The code of RECOVERY_CODE_BYTES random bytes: 16 letters and digits (80 bits), in groups that people can copy."""
    text = base64.b32encode(randomness).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def normal_code(typed: str) -> str:
    """A code as it is compared: without the spaces and hyphens that people type, in lower case."""
    return "".join(typed.split()).replace("-", "").lower()


def is_totp_code(code: str) -> bool:
    """Whether a normalised code can be one of an authenticator app; others can be recovery codes."""
    return len(code) == TOTP_DIGITS and code.isascii() and code.isdigit()


class RecoveryHasher:
    """The keyed hashes of this installation. key: 32 bytes, from a key outside the database."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, account: AccountId, code: str) -> RecoveryHash:
        """The hash of a normalised code of this account."""
        text = f"{account}\0{code}".encode("utf-8", "surrogatepass")
        return RecoveryHash(hmac.digest(self._key, text, hashlib.sha256))
