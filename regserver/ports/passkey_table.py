"""Passkeys of accounts, and the challenges that were answered with them."""

from typing import NewType, Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash

PasskeyId = NewType("PasskeyId", int)


class Passkey(msgspec.Struct, frozen=True):
    """A passkey as its owner sees it. last_used_at: None before the first sign-in with it."""

    id: PasskeyId
    name: str
    created_at: Instant
    last_used_at: Instant | None


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey before its first use. credential: the authenticator's id of it. public_key: in COSE's form."""

    credential: bytes
    account: AccountId
    public_key: bytes
    sign_count: int
    name: str
    created_at: Instant


class StoredPasskey(msgspec.Struct, frozen=True):
    """What an answer is verified with. sign_count: the authenticator's counter at its last use; 0 for none."""

    id: PasskeyId
    account: AccountId
    public_key: bytes
    sign_count: int


class PasskeyTable(Protocol):
    """Passkeys by the authenticator's id, which is unique over all accounts."""

    async def add(self, passkey: NewPasskey) -> bool:
        """Writes it; False when the credential is an account's already (atomic)."""

    async def of_account(self, account: AccountId) -> tuple[Passkey, ...]:
        """All of an account, the oldest first."""

    async def credentials(self, account: AccountId) -> tuple[bytes, ...]:
        """Their credentials."""

    async def by_credential(self, credential: bytes) -> StoredPasskey | None:
        """The passkey of a credential, whosever it is."""

    async def use(self, passkey: PasskeyId, sign_count: int, now: Instant) -> bool:
        """Notes a use; False when the counter has not grown, where there is one, or the passkey is gone (atomic)."""

    async def remove(self, account: AccountId, passkey: PasskeyId) -> bool:
        """Removes one of the account; False when it has no such."""

    async def remove_all(self, account: AccountId) -> None:
        """Removes all of the account."""

    async def use_challenge(self, challenge: SecretHash, expires_at: Instant) -> bool:
        """Notes a challenge as answered; False when it was before (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes the rows of expired challenges; returns how many."""
