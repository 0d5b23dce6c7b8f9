"""Bearer tokens and tickets, and the use cases that run for the account behind one.

`IdentityService.read` and `.write` are the way into every use case that takes a token. The account is looked up in the
transaction of the use case itself, so a token revoked a moment ago changes nothing any more.
"""

from __future__ import annotations  # the annotations of inner functions would be built anew at each call

from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.idempotency import Idempotency, account_scope
from regserver.domain.instant import SECOND, Duration, Instant, after
from regserver.domain.outcome import BadToken, IdempotencyConflict, UserIsDeleted
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, new_ticket, new_token
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.answer_once import answer_once

TICKET_TTL = Duration(30 * SECOND)

T = TypeVar("T")
Unidentified = BadToken | UserIsDeleted
Act = Callable[[Transaction, Account], Awaitable[T]]
"""A use case of one account, as a unit of work."""


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh token. expires_in: its life in seconds."""

    user_id: AccountId
    token: str
    expires_in: int


class Session(msgspec.Struct, frozen=True):
    """A socket's right to be there: an account, the token it came with, and the end of that token."""

    account: AccountId
    token: SecretHash
    expires_at: Instant


class IdentityService:
    """Issues tokens and tickets, and runs use cases for the accounts behind them. ttl: life of a token."""

    def __init__(self, store: Store, clock: Clock, randomness: Randomness, ttl: Duration) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._ttl = ttl

    # --- acting for somebody
    async def read(self, token: SecretHash, act: Act[T]) -> T | Unidentified:
        """Runs `act` on a snapshot for the account behind `token`."""
        return await self._store.read(lambda transaction: self._act(transaction, token, act))

    @overload
    async def write(self, token: SecretHash, idempotency: None, act: Act[T]) -> T | Unidentified: ...
    @overload
    async def write(
        self, token: SecretHash, idempotency: Idempotency | None, act: Act[T]
    ) -> T | Unidentified | IdempotencyConflict: ...
    async def write(
        self, token: SecretHash, idempotency: Idempotency | None, act: Act[T]
    ) -> T | Unidentified | IdempotencyConflict:
        """Runs `act` for the account behind `token` and commits.

        idempotency: a request that this account has sent before with the same key is answered as it was then, before
        `act` looks at anything: the room that it left may be gone by now.
        """

        if idempotency is None:
            return await self._store.write(lambda transaction: self._act(transaction, token, act))

        async def once(transaction: Transaction, account: Account) -> T | IdempotencyConflict:
            scope, now = account_scope(account.id), self._clock.now()
            return await answer_once(transaction, scope, idempotency, now, lambda: act(transaction, account))

        return await self._store.write(lambda transaction: self._act(transaction, token, once))

    async def _act(self, transaction: Transaction, token: SecretHash, act: Act[T]) -> T | Unidentified:
        account = await transaction.tokens.account(token, self._clock.now())
        if account is None:
            return BadToken()
        return UserIsDeleted() if account.deleted_at is not None else await act(transaction, account)

    # --- tokens and tickets
    async def issue(self, transaction: Transaction, account: AccountId) -> SignedIn:
        """A new token, written in the caller's transaction: it is good for whoever is told of it after the commit."""
        token = new_token(self._randomness.bytes(TOKEN_BYTES))
        now = self._clock.now()
        await transaction.tokens.add(hash_secret(token), account, now, after(now, self._ttl))
        return SignedIn(account, token, self._ttl.whole_seconds)

    async def session(self, token: SecretHash) -> Session | Unidentified:
        """The session that a token opens."""
        return await self._store.read(lambda transaction: self._session(transaction, token))

    async def _session(self, transaction: Transaction, token: SecretHash) -> Session | Unidentified:
        async def act(transaction: Transaction, account: Account) -> Session | BadToken:
            expires_at = await transaction.tokens.expiry(token)
            return BadToken() if expires_at is None else Session(account.id, token, expires_at)

        return await self._act(transaction, token, act)

    async def issue_ticket(self, token: SecretHash) -> str | Unidentified:
        """A ticket for one WebSocket within TICKET_TTL: browsers cannot send headers there, and URLs end up in logs."""
        ticket = new_ticket(self._randomness.bytes(TOKEN_BYTES))

        async def act(transaction: Transaction, _: Account) -> str:
            expires_at = after(self._clock.now(), TICKET_TTL)
            await transaction.tokens.add_ticket(hash_secret(ticket), token, expires_at)
            return ticket

        return await self.write(token, None, act)

    async def redeem_ticket(self, ticket: SecretHash) -> Session | Unidentified:
        """The session that a ticket opens, once."""

        async def work(transaction: Transaction) -> Session | Unidentified:
            token = await transaction.tokens.take_ticket(ticket, self._clock.now())
            return BadToken() if token is None else await self._session(transaction, token)

        return await self._store.write(work)
