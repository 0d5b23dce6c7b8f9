"""Sign-in at POST /login, for accounts of every door, and the way into a live registration.

    known here, password right                → a token
    came by live registration, password wrong → the source is asked; a password changed there is taken over
    known here by another door, wrong         → refused
    unknown here                              → the source is asked; accepted means a registration to watch

Every way to "no" pays for the same two hashes, so that its time does not tell whether a name is known.
"""

import logging

import msgspec

from regserver.domain.account import Account, is_sign_in_name, name_key
from regserver.domain.live import RegistrationId
from regserver.domain.outcome import BadCredentials, SourceUnavailable, UserIsDeleted, UsernameTaken
from regserver.ports.adapter import Accepted, Clock, PasswordHasher, Rejected, Source, Unavailable
from regserver.ports.store import Store, Transaction
from regserver.service.identity import IdentityService, SignedIn
from regserver.service.live import LiveService

log = logging.getLogger("regserver.sign_in")

RETRY_AFTER_SECONDS = 5


class Registering(msgspec.Struct, frozen=True):
    """A registration of this user runs; whoever knows the id may watch it."""

    registration: RegistrationId


Refused = BadCredentials | UserIsDeleted | UsernameTaken | SourceUnavailable


class SignInService:
    """source: None when live registration is switched off."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hasher: PasswordHasher,
        identity: IdentityService,
        live: LiveService,
        source: Source | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher
        self._identity = identity
        self._live = live
        self._source = source

    async def sign_in(self, username: str, password: str) -> SignedIn | Registering | Refused:
        if not is_sign_in_name(username):
            await self._hasher.verify(password, None)
            return BadCredentials()
        key = name_key(username)
        account = await self._store.read(lambda transaction: transaction.accounts.by_name(key))
        if (
            await self._hasher.verify(password, account.password_hash if account else None)
            and account is not None
        ):
            return await self._admit(account)
        if self._source is None:
            return BadCredentials()
        if account is not None and account.subject is None:
            await self._hasher.verify(password, None)  # what asking the source would cost
            return BadCredentials()
        return await self._ask(self._source, username, password, account)

    async def _ask(
        self, source: Source, username: str, password: str, account: Account | None
    ) -> SignedIn | Registering | Refused:
        match await source.verify(username, password):
            case Rejected():
                return BadCredentials()
            case Unavailable(detail=detail):
                log.warning("the source cannot check a sign-in: %s", detail)
                return SourceUnavailable(RETRY_AFTER_SECONDS)
            case Accepted(subject=subject):
                password_hash = await self._hasher.hash(password)
                if account is not None:
                    return await self._take_over(account, password_hash)
                started = await self._live.start(username, subject, password_hash)
                return Registering(started) if isinstance(started, str) else started

    async def _take_over(self, account: Account, password_hash: str) -> SignedIn | UserIsDeleted:
        """The source has a newer password than we have."""
        if account.deleted_at is not None:
            return UserIsDeleted()
        await self._store.write(
            lambda transaction: transaction.accounts.set_password_hash(
                account.id, password_hash, self._clock.now()
            )
        )
        return await self._admit(account)

    async def _admit(self, account: Account) -> SignedIn | UserIsDeleted:
        async def work(transaction: Transaction) -> SignedIn | UserIsDeleted:
            now = await transaction.accounts.by_id(account.id)
            if now is None or now.deleted_at is not None:
                return UserIsDeleted()
            return await self._identity.issue(transaction, account.id)

        return await self._store.write(work)
