"""Running use cases of rooms for the account behind a token: as IdentityService does, for accounts that may use rooms.

With login.verify_email = "require" an account of the room door has to verify its address first. Those of other doors need
not: their source, mail or code has vouched for them.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Awaitable
from typing import TypeVar

from regserver.domain.account import Account
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import Instant
from regserver.domain.outcome import EmailNotVerified, IdempotencyConflict, Refusal
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import Act, IdentityService, Session, Unidentified

T = TypeVar("T")
Unadmitted = Unidentified | EmailNotVerified


class RoomAdmission:
    """requires_verified: whether accounts of the room door must have a verified address."""

    def __init__(self, identity: IdentityService, *, requires_verified: bool = False) -> None:
        self._identity = identity
        self._requires = requires_verified

    def read(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unadmitted]:
        """See IdentityService."""
        return self._identity.read(token, _gated(act) if self._requires else act)

    def look_up(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unadmitted]:
        """See IdentityService."""
        return self._identity.look_up(token, _gated(act) if self._requires else act)

    def write(self, token: SecretHash, act: Act[T]) -> Awaitable[T | Unadmitted]:
        """See IdentityService."""
        return self._identity.write(token, _gated(act) if self._requires else act)

    def write_once(
        self, token: SecretHash, idempotency: Idempotency | None, act: Act[T]
    ) -> Awaitable[T | Unadmitted | IdempotencyConflict]:
        """See IdentityService."""
        return self._identity.write_once(token, idempotency, _gated(act) if self._requires else act)

    async def session(self, token: SecretHash) -> Session | Unadmitted:
        """The session of a token, if its account may use rooms."""
        session = await self._identity.session(token)
        return session if isinstance(session, Refusal) else await self._admitted(session)

    async def redeem_ticket(self, ticket: SecretHash) -> Session | Unadmitted:
        """The session of a ticket, which becomes invalid."""
        session = await self._identity.redeem_ticket(ticket)
        return session if isinstance(session, Refusal) else await self._admitted(session)

    def note_use(self, token: SecretHash) -> None:
        """See IdentityService."""
        self._identity.note_use(token)

    async def _admitted(self, session: Session) -> Session | Unadmitted:
        async def act(_transaction: Transaction, _account: Account, _now: Instant) -> Session:
            return session

        return await self.look_up(session.token, act) if self._requires else session


def _gated(act: Act[T]) -> Act[T | EmailNotVerified]:
    async def gated(transaction: Transaction, account: Account, now: Instant) -> T | EmailNotVerified:
        if account.origin == "rooms" and account.email_verified_at is None:
            return EmailNotVerified()
        return await act(transaction, account, now)

    return gated
