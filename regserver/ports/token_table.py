"""Bearer tokens, and the tickets that stand for them."""

from typing import Protocol

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash


class TokenTable(Protocol):
    """Tokens and tickets are stored as hashes."""

    async def add(self, token: SecretHash, account: AccountId, now: Instant, expires_at: Instant) -> None:
        """Writes a token of the account."""

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        """The account of a token that has not expired, deleted accounts included."""

    async def expiry(self, token: SecretHash) -> Instant | None:
        """When the token expires; None when there is no such token."""

    async def remove(self, token: SecretHash) -> None:
        """Revokes a token, and the tickets that stand for it."""

    async def remove_all(self, account: AccountId) -> None:
        """Revokes all tokens of the account."""

    async def add_ticket(self, ticket: SecretHash, token: SecretHash, expires_at: Instant) -> None:
        """Writes a ticket. Conflict when its token has just been revoked."""

    async def take_ticket(self, ticket: SecretHash, now: Instant) -> SecretHash | None:
        """Removes the ticket and returns its token; None when it is unknown, used or expired (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes expired tokens and tickets; returns how many."""
