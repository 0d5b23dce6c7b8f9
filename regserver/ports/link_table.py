"""Links that were mailed to accounts, by the hash of their secret."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.link import AccountLink, LinkPurpose
from regserver.domain.secret import SecretHash


class LinkTable(Protocol):
    """A link is taken in the transaction that uses it, so that it works once."""

    async def add(self, secret: SecretHash, link: AccountLink) -> None:
        """Writes a new link."""

    async def find(self, secret: SecretHash, purpose: LinkPurpose, now: Instant) -> AccountLink | None:
        """The link, which stays good; None when there is none of this purpose, or it has expired."""

    async def take(self, secret: SecretHash, purpose: LinkPurpose, now: Instant) -> AccountLink | None:
        """As `find`, and removes it (atomic)."""

    async def remove_all(self, account: AccountId, purposes: Sequence[LinkPurpose]) -> None:
        """Ends every link of the account with one of these purposes."""

    async def remove_since(self, account: AccountId, purpose: LinkPurpose, expires_at: Instant) -> None:
        """Ends the account's links of one purpose that expire at this time or later."""

    async def purge(self, now: Instant) -> int:
        """Removes expired links; returns how many."""
