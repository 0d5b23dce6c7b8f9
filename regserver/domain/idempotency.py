"""The Idempotency-Key: with it a client can safely repeat a request whose answer it did not get.

The rules are those of the IETF draft "The Idempotency-Key HTTP Header Field": a request with the same key gets the first
answer and changes nothing; another request with that key is refused.
"""

import msgspec

from regserver.domain.account import AccountId, NameKey
from regserver.domain.instant import DAY

IDEMPOTENCY_TTL = DAY
"""How long an answer is stored."""
MAX_KEY_LENGTH = 255


class Idempotency(msgspec.Struct, frozen=True):
    """The key of a request. digest: SHA-256 over its path and body; another request has another."""

    key: str
    digest: bytes


class StoredAnswer(msgspec.Struct, frozen=True):
    """The answer to a keyed request. answer: the id of the new row; None when the answer has no body."""

    digest: bytes
    answer: int | None


def account_scope(account: AccountId) -> str:
    """The scope of an account's keys: two people may use the same key."""
    return f"account:{account}"


def sign_up_scope(name: NameKey) -> str:
    """The scope of a sign-up's key: the requested name, since there is no account yet."""
    return f"sign-up:{name}"


def is_idempotency_key(text: str) -> bool:
    """Whether a header's text is a key: 1 to 255 visible ASCII characters."""
    return 0 < len(text) <= MAX_KEY_LENGTH and text.isascii() and text.isprintable() and " " not in text
