"""The directory's tables: pending creations by the hash of their challenge, and the users of each server."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId, EmailKey
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash


class PendingCreation(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-up by mail.

    account: None while it waits; then the account that it made, or the one that got the name first.
    email, password_hash: None when it no longer waits. network: coarse, of whoever asked for it; "" when it no longer waits, or
    is unknown. invitation: that it came with, spent when the account is made.
    """

    username: str
    email: str | None
    password_hash: str | None
    language: str
    created_at: Instant
    expires_at: Instant
    account: AccountId | None
    network: str = ""
    invitation: SecretHash | None = None


class DirectoryTable(Protocol):
    """Counts of pending creations are guarded by Lock.EMAIL, counts of users by Lock.SERVERS."""

    async def add_pending(self, challenge: SecretHash, pending: PendingCreation) -> None:
        """Writes a creation that waits for its confirmation."""

    async def pending(self, challenge: SecretHash) -> PendingCreation | None:
        """The creation, waiting, expired or settled; None when it is unknown or purged."""

    async def settle(self, challenge: SecretHash, account: AccountId) -> None:
        """Stores the account of the challenge for good, and deletes address, password hash and network."""

    async def count_pending(self, email: EmailKey, since: Instant) -> int:
        """How many waiting creations of this address were begun at or after `since`."""

    async def purge(self, now: Instant) -> int:
        """Removes expired creations; returns how many."""

    async def users(self, servers: Sequence[str]) -> dict[str, int]:
        """The number of users of each server; a server without users may be missing."""

    async def add_user(self, server: str) -> None:
        """Counts one more user of the server."""

    async def recount(self) -> None:
        """Takes Lock.SERVERS, and counts the accounts of every server that are not deleted."""
