"""Bearer tokens and tickets, and running use cases for the account behind one.

Every use case with a token runs by `IdentityService.read`, `.look_up` or `.write`. The account is looked up in the use case's own
transaction, so a token that was just revoked has no effect.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.address import coarse_network
from regserver.domain.audit import DONE, AuditNote
from regserver.domain.factor import FACTOR_TICKET_LIFE, MOST_FACTOR_TICKETS, FactorPurpose, FactorTicket
from regserver.domain.idempotency import Idempotency, account_scope
from regserver.domain.instant import SECOND, Duration, Instant, after
from regserver.domain.outcome import (
    BadToken,
    IdempotencyConflict,
    NotApproved,
    Refusal,
    SecondFactorRequired,
    UserIsDeleted,
)
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, new_token
from regserver.domain.session import SESSION_ID_BYTES, SessionId, clean_agent, session_id
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.token_table import NewSession
from regserver.ports.transaction import Lock, Transaction
from regserver.service.asker import Asker
from regserver.service.session_use import SessionUses
from regserver.service.sign_in_audit import SignInAudit

TICKET_TTL = Duration(30 * SECOND)
MOST_SIGN_INS = 1000
"""Sessions by sign-in that one account keeps. Beyond, those that were used longest ago end, at about every TRIM_AT-th
sign-in of the account, so that others cost nothing."""
TRIM_AT = 64

T = TypeVar("T")
Unknown = BadToken | UserIsDeleted
"""Refusals of a token without an account that is there."""
Unidentified = Unknown | NotApproved
"""The same, and of accounts that wait."""
Act = Callable[[Transaction, Account, Instant], Awaitable[T]]
"""A use case of one account, as a unit of work. The instant is the time that the whole change bears."""


class SignedIn(msgspec.Struct, frozen=True):
    """A new token. expires_in: its life in seconds. session_id: of its session."""

    user_id: AccountId
    token: str
    expires_in: int
    session_id: SessionId


class Session(msgspec.Struct, frozen=True):
    """A signed-in session: an account, its token, and when that expires."""

    account: AccountId
    token: SecretHash
    expires_at: Instant


class IdentityService:
    """Issues tokens and tickets, and runs use cases for their accounts. ttl: life of a token by sign-in.

    uses: when which token was used.
    """

    def __init__(self, store: Store, clock: Clock, randomness: Randomness, ttl: Duration) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._ttl = ttl
        self.uses = SessionUses()
        self.audited = SignInAudit(clock)

    # --- use cases of an account; without coroutines of their own, since every request calls them
    def read(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unidentified]:
        """Runs `act` on a snapshot for the account of `token`."""
        return self._store.read(lambda transaction: self._act(transaction, token, act))

    def look_up(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unidentified]:
        """As `read`, where `act` finds a few rows by their keys; see Store.look_up."""
        return self._store.look_up(lambda transaction: self._act(transaction, token, act))

    def look_up_waiting(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unknown]:
        """As `look_up`, also for an account that waits: for what proves its address, and for giving it up."""
        return self._store.look_up(lambda transaction: self._find(transaction, token, act))

    def write_waiting(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unknown]:
        """As `write_locked`, also for an account that waits."""
        return self._store.write(lambda transaction: self._find_locked(transaction, token, act))

    def write(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unidentified]:
        """Runs `act` for the account of `token` and commits."""
        return self._store.write(lambda transaction: self._act(transaction, token, act))

    def write_locked(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unidentified]:
        """As `write`, holding Lock.ACCOUNT: what ends the token meanwhile comes before or after the whole of it.

        For what outlives the token, or ends others.
        """
        return self._store.write(lambda transaction: self._act_locked(transaction, token, act))

    def write_once(
        self, token: SecretHash, idempotency: Idempotency | None, act: Act[T]
    ) -> Awaitable[T | Unidentified | IdempotencyConflict]:
        """As `write`. act: returns an id, None, or a refusal.

        idempotency: a repeated request gets its stored answer before `act` reads anything: for instance, a room that the
        first request left may no longer exist. Refusals are not stored. They change nothing, so a repetition may succeed.
        """
        if idempotency is None:
            return self.write(token, act)

        async def once(transaction: Transaction, account: Account, now: Instant) -> T | IdempotencyConflict:
            # The key is taken first, and the answer is stored with the change: a simultaneous repetition waits.
            stored = await transaction.idempotency.take(account_scope(account.id), idempotency, now)
            if stored is not None:
                # A stored answer has the type of `act`: the digest covers the path, and so the use case.
                same = stored.digest == idempotency.digest
                return cast("T", stored.answer) if same else IdempotencyConflict()
            outcome = await act(transaction, account, now)
            if isinstance(outcome, Refusal):
                await transaction.idempotency.release(account_scope(account.id), idempotency.key)
            else:
                answer = cast("int | None", outcome)
                await transaction.idempotency.keep(account_scope(account.id), idempotency.key, answer)
            return outcome

        return self.write(token, once)

    async def _act(self, transaction: Transaction, token: SecretHash, act: Act[T]) -> T | Unidentified:
        now = self._clock.now()
        account = await transaction.tokens.account(token, now)
        if account is None:
            return BadToken()
        if account.deleted_at is not None:
            return UserIsDeleted()
        if (reason := account.barred_by) is not None:
            return NotApproved(waits_for=reason)
        self.uses.note(token, now)
        return await act(transaction, account, now)

    async def _find(self, transaction: Transaction, token: SecretHash, act: Act[T]) -> T | Unknown:
        """As `_act`, for an account that may wait."""
        now = self._clock.now()
        account = await transaction.tokens.account(token, now)
        if account is None:
            return BadToken()
        if account.deleted_at is not None:
            return UserIsDeleted()
        self.uses.note(token, now)
        return await act(transaction, account, now)

    async def _act_locked(self, transaction: Transaction, token: SecretHash, act: Act[T]) -> T | Unidentified:
        await self._lock(transaction, token)
        return await self._act(transaction, token, act)

    async def _find_locked(self, transaction: Transaction, token: SecretHash, act: Act[T]) -> T | Unknown:
        await self._lock(transaction, token)
        return await self._find(transaction, token, act)

    async def _lock(self, transaction: Transaction, token: SecretHash) -> None:
        """The caller looks the token up again: it may have ended before the lock."""
        account = await transaction.tokens.account(token, self._clock.now())
        if account is not None:
            await transaction.lock(Lock.ACCOUNT, account.id)

    # --- tokens and tickets
    async def issue(self, transaction: Transaction, account: AccountId, asker: Asker) -> SignedIn:
        """A token for a sign-in, written in the caller's transaction; it must not be sent before the commit.

        For new accounts, and after all factors were proved. Otherwise `ask_factor` has to be asked first.
        """
        signed_in = await self._add(transaction, account, asker, None, self._ttl)
        self._note_sign_in(transaction, account, DONE)
        if signed_in.session_id % TRIM_AT == 0:
            await transaction.tokens.trim(account, MOST_SIGN_INS)
        return signed_in

    def note_use(self, token: SecretHash) -> None:
        """The token of a session was in use until now; for what keeps it in use without asking again."""
        self.uses.note(token, self._clock.now())

    async def ask_factor(
        self, transaction: Transaction, account: AccountId, purpose: FactorPurpose
    ) -> SecondFactorRequired | NotApproved | None:
        """What a right password is answered with in place of a session: NotApproved while the account waits or is suspended, and a ticket where
        it has a second factor; None where a session may be issued.
        """
        found = await transaction.accounts.by_id(account)
        if found is not None and (reason := found.barred_by) is not None:
            self._note_sign_in(transaction, account, "NotApproved")
            return NotApproved(waits_for=reason)
        totp = await transaction.factors.totp(account)
        if totp is None or totp.enabled_at is None:
            return None
        secret, now = new_token("regf_", self._randomness.bytes(TOKEN_BYTES)), self._clock.now()
        ticket = FactorTicket(account, purpose, after(now, FACTOR_TICKET_LIFE))
        await transaction.factors.add_ticket(hash_secret(secret), ticket, MOST_FACTOR_TICKETS)
        self._note_sign_in(transaction, account, "SecondFactorRequired")
        return SecondFactorRequired(ticket=secret, expires_in=FACTOR_TICKET_LIFE.whole_seconds)

    async def issue_named(
        self, transaction: Transaction, account: AccountId, asker: Asker, name: str, ttl: Duration
    ) -> SignedIn:
        """A token for a program, in the same way. ttl: its life."""
        transaction.audit.note(AuditNote(action="token_made", account=account))
        return await self._add(transaction, account, asker, name, ttl)

    def _note_sign_in(self, transaction: Transaction, account: AccountId, outcome: str) -> None:
        if self.audited.takes(account):
            transaction.audit.note(AuditNote(action="sign_in", account=account, outcome=outcome))

    async def _add(
        self, transaction: Transaction, account: AccountId, asker: Asker, name: str | None, ttl: Duration
    ) -> SignedIn:
        token, now = new_token("regs_", self._randomness.bytes(TOKEN_BYTES)), self._clock.now()
        session = NewSession(
            token=hash_secret(token),
            account=account,
            id=session_id(self._randomness.bytes(SESSION_ID_BYTES)),
            name=name,
            agent=clean_agent(asker.agent),
            network=coarse_network(asker.address),
            created_at=now,
            expires_at=after(now, ttl),
        )
        await transaction.tokens.add(session)
        return SignedIn(account, token, ttl.whole_seconds, session.id)

    async def session(self, token: SecretHash) -> Session | Unidentified:
        """The session of a token."""
        return await self._store.look_up(lambda transaction: self._session(transaction, token))

    async def _session(self, transaction: Transaction, token: SecretHash) -> Session | Unidentified:
        async def act(transaction: Transaction, account: Account, _now: Instant) -> Session | BadToken:
            expires_at = await transaction.tokens.expiry(token)
            return BadToken() if expires_at is None else Session(account.id, token, expires_at)

        return await self._act(transaction, token, act)

    async def issue_ticket(self, token: SecretHash) -> str | Unidentified:
        """A ticket for one WebSocket within TICKET_TTL: browsers cannot send headers there, and URLs end up in logs."""
        ticket = new_token("regt_", self._randomness.bytes(TOKEN_BYTES))

        async def act(transaction: Transaction, _account: Account, now: Instant) -> str:
            await transaction.tokens.add_ticket(hash_secret(ticket), token, after(now, TICKET_TTL))
            return ticket

        return await self.write(token, act)

    async def redeem_ticket(self, ticket: SecretHash) -> Session | Unidentified:
        """The session of a ticket, which becomes invalid."""

        async def work(transaction: Transaction) -> Session | Unidentified:
            token = await transaction.tokens.take_ticket(ticket, self._clock.now())
            return BadToken() if token is None else await self._session(transaction, token)

        return await self._store.write(work)
