"""An account's sessions as its person manages them: list them, end one, make tokens for programs.

    sign-in, sign-up → a session that ends with login.token_ttl
    POST /login/tokens → a session with a name and a life of its own, for a program

Both are rows of one table, and end in one way: `regserver.service.account_ending`.
"""

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import DAY, SECOND, Duration, Instant
from regserver.domain.outcome import (
    BadExpiresIn,
    BadTokenName,
    NamedTokenRefused,
    Refusal,
    SessionNotFound,
    TooManyTokens,
)
from regserver.domain.secret import SecretHash
from regserver.domain.session import AccountSession, SessionId, is_token_name
from regserver.ports.broker import Broker
from regserver.ports.transaction import Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.asker import Asker
from regserver.service.identity_service import IdentityService, SignedIn, Unidentified

MOST_LISTED = 500
"""Sessions in one list: the asker's own and those that were used last. With all their texts they stay below a mebibyte."""

NamedTokenRefusal = BadTokenName | BadExpiresIn | TooManyTokens | NamedTokenRefused


class NamedTokenPolicy(msgspec.Struct, frozen=True):
    """most: of one account at once. ttl: the life of one for which none is asked. longest: the longest that may be asked."""

    most: int = 50
    ttl: Duration = Duration(90 * DAY)
    longest: Duration = Duration(366 * DAY)


class NamedTokenWish(msgspec.Struct, frozen=True):
    """A token for a program. expires_in: its life in seconds; None for that of the policy."""

    name: str
    expires_in: int | None = None


class SessionView(msgspec.Struct, frozen=True):
    """One session in the list of its account. current: whether it is the asker's own."""

    session: AccountSession
    current: bool


class SessionService:
    """See the module. broker: of the sockets of sessions. named: the bounds of tokens for programs."""

    def __init__(self, identity: IdentityService, broker: Broker, named: NamedTokenPolicy) -> None:
        self._identity = identity
        self._broker = broker
        self._named = named

    async def list(self, token: SecretHash) -> tuple[SessionView, ...] | Unidentified:
        """The sessions of the token's account that have not expired, those that were used last first.

        An open WebSocket is a use of its session all the time.
        """

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> tuple[AccountId, Instant, dict[SecretHash, AccountSession]]:
            found = await transaction.tokens.of_account(account.id, now, MOST_LISTED, first=token)
            return account.id, now, dict(found)

        outcome = await self._identity.read(token, act)
        if isinstance(outcome, Refusal):
            return outcome
        account, now, found = outcome
        connected, uses = self._broker.tokens_of(account), self._identity.uses
        shown = []
        for each, session in found.items():
            used_at = now if each in connected else max(session.last_used_at, uses.at(each))
            shown.append(
                SessionView(msgspec.structs.replace(session, last_used_at=used_at), current=each == token)
            )
        return tuple(sorted(shown, key=lambda view: view.session.last_used_at, reverse=True))

    async def end(self, token: SecretHash, session: SessionId) -> Unidentified | SessionNotFound | None:
        """Ends one session of the token's account, and its sockets; others' sessions are not found."""

        async def act(
            transaction: Transaction, account: Account, _now: Instant
        ) -> EndedSessions | SessionNotFound:
            return await end_session(transaction, account.id, session)

        outcome = await self._identity.write_locked(token, act)
        if isinstance(outcome, Refusal):
            return outcome
        close_sockets_nowait(self._broker, outcome)
        return None

    async def add_named(
        self, token: SecretHash, wish: NamedTokenWish, asker: Asker
    ) -> SignedIn | Unidentified | NamedTokenRefusal:
        """A token for a program. One that was made so makes none: who gets hold of it cannot outlive its end."""
        if not is_token_name(wish.name):
            return BadTokenName()
        ttl = self._named.ttl if wish.expires_in is None else Duration(wish.expires_in * SECOND)
        if not SECOND <= ttl <= self._named.longest:
            return BadExpiresIn()

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> SignedIn | TooManyTokens | NamedTokenRefused:
            names = await transaction.tokens.names(account.id, now)
            if token in names:
                return NamedTokenRefused()
            if len(names) >= self._named.most:
                return TooManyTokens()
            return await self._identity.issue_named(transaction, account.id, asker, wish.name, ttl)

        return await self._identity.write_locked(token, act)


async def end_session(
    transaction: Transaction, account: AccountId, session: SessionId
) -> EndedSessions | SessionNotFound:
    """Ends one session of an account, whoever wants it: its person, or the operator. The caller holds Lock.ACCOUNT."""
    token = await transaction.tokens.by_session(account, session)
    if token is None:
        return SessionNotFound()
    ended = await end_outstanding(transaction, AccountEvent.SESSION_ENDED, account, token)
    return ended if ended.tokens else SessionNotFound()
