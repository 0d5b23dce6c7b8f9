"""Who is asking: bearer tokens and tickets, and how long they live."""

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import SECOND, Duration, Instant, after
from regserver.domain.outcome import BadToken, UserIsDeleted
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, new_ticket, new_token
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

TICKET_TTL = Duration(30 * SECOND)


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh token, and for how many seconds it is good."""

    user_id: AccountId
    token: str
    expires_in: int


class Session(msgspec.Struct, frozen=True):
    """What a socket lives on: an account, the token it came with, and when that ends."""

    account: AccountId
    token: SecretHash
    expires_at: Instant


async def identify(
    transaction: Transaction, token: SecretHash, now: Instant
) -> Account | BadToken | UserIsDeleted:
    """The living account behind a token. Part of every transaction that acts for somebody."""
    account = await transaction.tokens.account(token, now)
    if account is None:
        return BadToken()
    return account if account.deleted_at is None else UserIsDeleted()


class IdentityService:
    """Issues and revokes tokens and tickets.

    ttl: life of a token.
    """

    def __init__(self, store: Store, clock: Clock, randomness: Randomness, ttl: Duration) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._ttl = ttl

    async def issue(self, transaction: Transaction, account: AccountId) -> SignedIn:
        """A new token, written in the caller's transaction: whoever hears of it can rely on it."""
        token = new_token(self._randomness.bytes(TOKEN_BYTES))
        now = self._clock.now()
        await transaction.tokens.add(hash_secret(token), account, now, after(now, self._ttl))
        return SignedIn(account, token, self._ttl.whole_seconds)

    async def whose(self, token: SecretHash) -> Account | BadToken | UserIsDeleted:
        return await self._store.read(lambda transaction: identify(transaction, token, self._clock.now()))

    async def session(self, token: SecretHash) -> Session | BadToken | UserIsDeleted:
        """The session that a token opens."""
        return await self._store.read(lambda transaction: self._session(transaction, token))

    async def _session(
        self, transaction: Transaction, token: SecretHash
    ) -> Session | BadToken | UserIsDeleted:
        account = await identify(transaction, token, self._clock.now())
        if not isinstance(account, Account):
            return account
        expires_at = await transaction.tokens.expiry(token)
        return BadToken() if expires_at is None else Session(account.id, token, expires_at)

    async def issue_ticket(self, token: SecretHash) -> str | BadToken | UserIsDeleted:
        """A ticket for one WebSocket within TICKET_TTL: browsers cannot send headers there, and URLs end up in logs."""
        ticket = new_ticket(self._randomness.bytes(TOKEN_BYTES))

        async def work(transaction: Transaction) -> str | BadToken | UserIsDeleted:
            now = self._clock.now()
            account = await identify(transaction, token, now)
            if not isinstance(account, Account):
                return account
            await transaction.tokens.add_ticket(hash_secret(ticket), token, after(now, TICKET_TTL))
            return ticket

        return await self._store.write(work)

    async def redeem_ticket(self, ticket: SecretHash) -> Session | BadToken | UserIsDeleted:
        """The session that a ticket opens, once."""

        async def work(transaction: Transaction) -> Session | BadToken | UserIsDeleted:
            token = await transaction.tokens.take_ticket(ticket, self._clock.now())
            return BadToken() if token is None else await self._session(transaction, token)

        return await self._store.write(work)
