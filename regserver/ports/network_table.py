"""The networks from which accounts were signed in."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.guess import NetworkHash
from regserver.domain.instant import Instant


class NetworkTable(Protocol):
    """One row per account and network, kept for NETWORK_KNOWN."""

    async def signed_in_at(self, account: AccountId, network: NetworkHash) -> Instant | None:
        """When the account was last noted to be signed in from there; None if never, or too long ago to be kept."""

    async def note(self, account: AccountId, network: NetworkHash, language: str, now: Instant) -> None:
        """Notes a sign-in from the network (atomic). language: of the person, for mails."""

    async def trim(self, account: AccountId) -> None:
        """Removes the account's oldest networks beyond a bound."""

    async def language(self, account: AccountId) -> str | None:
        """The language of the account's last noted sign-in."""

    async def forget(self, account: AccountId) -> None:
        """Removes all networks of the account."""

    async def purge(self, now: Instant) -> int:
        """Removes networks that are known no longer; returns how many."""
