"""Safe retries: a key that the client makes up names one request, whatever becomes of the first answer.

The rules are those of the IETF draft "The Idempotency-Key HTTP Header Field": the same key with the same request is
answered as before and changes nothing again; with another request it is refused.
"""

import msgspec

from regserver.domain.account import AccountId, NameKey
from regserver.domain.instant import DAY

IDEMPOTENCY_TTL = DAY
MAX_KEY_LENGTH = 255


class Idempotency(msgspec.Struct, frozen=True):
    """One keyed request. digest: what tells it from another one, over its path and body."""

    key: str
    digest: bytes


class StoredAnswer(msgspec.Struct, frozen=True):
    """What a keyed request was answered: a number, or None where the answer has no body."""

    digest: bytes
    answer: int | None


def account_scope(account: AccountId) -> str:
    """Keys of different people have nothing to do with each other."""
    return f"account:{account}"


def sign_up_scope(name: NameKey) -> str:
    """Before there is an account, the name that is asked for takes its place."""
    return f"sign-up:{name}"


def is_idempotency_key(text: str) -> bool:
    """1 to 255 visible ASCII characters."""
    return 0 < len(text) <= MAX_KEY_LENGTH and text.isascii() and text.isprintable() and " " not in text
