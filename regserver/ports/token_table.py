"""Bearer tokens, and the tickets that stand for them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.domain.session import AccountSession, SessionId


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session before its first use. token: the hash of its token. The other fields are those of AccountSession."""

    token: SecretHash
    account: AccountId
    id: SessionId
    name: str | None
    agent: str
    network: str
    created_at: Instant
    expires_at: Instant


class TokenState(msgspec.Struct, frozen=True):
    """When the account of a token was deleted, or suspended; None where it was not."""

    deleted_at: Instant | None
    suspended_at: Instant | None


class TokenTable(Protocol):
    """Tokens and tickets are stored as hashes."""

    async def add(self, session: NewSession) -> None:
        """Writes a token of the account. Conflict when the account has a session with this id."""

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        """The account of a token that has not expired, deleted accounts included."""

    async def expiry(self, token: SecretHash) -> Instant | None:
        """When the token expires; None when there is no such token."""

    async def signed_in_at(self, token: SecretHash) -> Instant | None:
        """When the token was given for a sign-in; None for a named token, and when there is no such."""

    async def states(self, tokens: Sequence[SecretHash], now: Instant) -> Mapping[SecretHash, TokenState]:
        """What became of the accounts of these tokens; without tokens that are no more."""

    async def of_account(
        self, account: AccountId, now: Instant, most: int, *, first: SecretHash | None = None
    ) -> Mapping[SecretHash, AccountSession]:
        """The account's sessions that have not expired, at most `most`: that of `first`, then the last used ones."""

    async def by_session(self, account: AccountId, session: SessionId) -> SecretHash | None:
        """The token of one of the account's sessions; None when it has no such session."""

    async def names(self, account: AccountId, now: Instant) -> Mapping[SecretHash, str]:
        """The account's named tokens that have not expired, with their names."""

    async def note_uses(self, uses: Sequence[tuple[SecretHash, Instant]]) -> None:
        """Notes when tokens were last used; those that are gone are left out (atomic)."""

    async def trim(self, account: AccountId, most: int) -> None:
        """Revokes the account's tokens without a name beyond `most`: those that were used longest ago."""

    async def remove(
        self, account: AccountId, token: SecretHash | None, *, own: bool, others: bool, named: bool
    ) -> tuple[SecretHash, ...]:
        """Revokes tokens of the account and the tickets that stand for them; returns which (atomic).

        own: `token` itself, if it is the account's. Of its other tokens, named: those with a name, others: those without.
        """

    async def add_ticket(self, ticket: SecretHash, token: SecretHash, expires_at: Instant) -> None:
        """Writes a ticket. Conflict when its token has just been revoked."""

    async def take_ticket(self, ticket: SecretHash, now: Instant) -> SecretHash | None:
        """Removes the ticket and returns its token; None when it is unknown, used or expired (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes expired tokens and tickets; returns how many."""
