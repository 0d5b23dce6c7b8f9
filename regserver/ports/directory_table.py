"""The directory's tables: pending creations by the hash of their challenge, and the users of each server."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId, EmailKey
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash


class PendingCreation(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-up by mail.

    account: None while it waits; then the account that it made, or the one that had won the name before it.
    email, password_hash: None once it no longer waits.
    """

    username: str
    email: str | None
    password_hash: str | None
    language: str
    created_at: Instant
    expires_at: Instant
    account: AccountId | None


class DirectoryTable(Protocol):
    """Counts of pending creations are guarded by Lock.EMAIL, counts of users by Lock.SERVERS."""

    async def add_pending(self, challenge: SecretHash, pending: PendingCreation) -> None:
        """Writes a creation that waits for its confirmation."""

    async def pending(self, challenge: SecretHash) -> PendingCreation | None:
        """Expired and settled ones included, as long as they are kept."""

    async def settle(self, challenge: SecretHash, account: AccountId) -> None:
        """Remembers for good to whom the challenge leads, and forgets e-mail address and password."""

    async def count_pending(self, email: EmailKey, since: Instant) -> int:
        """How many creations that wait were begun for this address at or after `since`."""

    async def purge(self, now: Instant) -> int:
        """Removes what expired unconfirmed; how many."""

    async def users(self, servers: Sequence[str]) -> dict[str, int]:
        """How many users each of the servers has; one that is not known yet is left out."""

    async def add_user(self, server: str) -> None:
        """Counts one more user of the server."""

    async def recount(self) -> None:
        """Takes Lock.SERVERS, and counts the living accounts of every server anew."""
