"""Sign-in at POST /login, for accounts of every door, and the way into a live registration.

    known here, password right → a token, without the source
    all others                 → the source is asked
        it refuses             → refused
        it cannot say, is full → unavailable
        it accepts:
            known here as the same person    → its new password is taken over, and a token
            the name is another's            → taken (another door's account, or a person the source tells apart)
            unknown here                     → a registration to watch

The source is asked for every wrong password, whoever the name belongs to: so neither the time nor the answer tells
whether a name is known here. It is asked by a bounded number of sign-ins at once, and for strangers only while there
is a place for their registration.
"""

import logging

import msgspec

from regserver.domain.account import Account, is_sign_in_name, name_key
from regserver.domain.live_progress import RegistrationId
from regserver.domain.outcome import BadCredentials, SourceUnavailable, UserIsDeleted, UsernameTaken
from regserver.ports.clock import Clock
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Accepted, Rejected, Source, Subject, Unavailable, Verdict
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_service import LiveService

log = logging.getLogger("regserver.sign_in")

RETRY_AFTER_SECONDS = 5


class Registering(msgspec.Struct, frozen=True):
    """A registration of this user runs; whoever knows the id may watch it."""

    registration: RegistrationId


SignInRefusal = BadCredentials | UserIsDeleted | UsernameTaken | SourceUnavailable


class SignInService:
    """source: None when live registration is switched off. max_asking: how many may wait for the source at once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hasher: PasswordHasher,
        identity: IdentityService,
        live: LiveService,
        source: Source | None,
        *,
        max_asking: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher
        self._identity = identity
        self._live = live
        self._source = source
        self._max_asking = max_asking
        self._asking = 0

    async def sign_in(self, username: str, password: str) -> SignedIn | Registering | SignInRefusal:
        if not is_sign_in_name(username):
            await self._hasher.verify(password, None)
            return BadCredentials()
        account = await self._find(username)
        if (
            await self._hasher.verify(password, account.password_hash if account else None)
            and account is not None
        ):
            return await self._admit(account, await self._renew(account, password))
        if self._source is None:
            return BadCredentials()
        if self._asking >= self._max_asking or (account is None and not self._live.admits(username)):
            return SourceUnavailable(RETRY_AFTER_SECONDS)
        match await self._ask(self._source, username, password):
            case Rejected():
                return BadCredentials()
            case Unavailable(detail=detail):
                log.warning("the source cannot check a sign-in: %s", detail)
                return SourceUnavailable(RETRY_AFTER_SECONDS)
            case Accepted(subject=subject):
                return await self._accept(username, password, subject, account)

    async def _find(self, username: str) -> Account | None:
        key = name_key(username)
        return await self._store.read(lambda transaction: transaction.accounts.by_name(key))

    async def _ask(self, source: Source, username: str, password: str) -> Verdict:
        self._asking += 1
        try:
            return await source.verify(username, password)
        finally:
            self._asking -= 1

    async def _accept(
        self, username: str, password: str, subject: Subject, account: Account | None
    ) -> SignedIn | Registering | SignInRefusal:
        """The source knows these credentials as those of `subject`; the name may still be somebody else's here."""
        if account is not None and account.subject != subject:
            return UsernameTaken()
        password_hash = await self._hasher.hash(password)
        if account is not None:
            return await self._take_over(account, password_hash)
        started = await self._live.start(username, subject, password_hash)
        if isinstance(started, str):
            return Registering(started)
        if isinstance(started, UsernameTaken):
            # While the source was asked, another sign-in of this person may have got as far as its account.
            account = await self._find(username)
            if account is not None and account.subject == subject:
                return await self._take_over(account, password_hash)
        return started

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

    async def _renew(self, account: Account, password: str) -> str | None:
        """A hash at the cost that is configured now, where the kept one has another: only now is the password known."""
        kept = account.password_hash
        if kept is None or account.deleted_at is not None or not self._hasher.is_outdated(kept):
            return None
        return await self._hasher.hash(password)

    async def _admit(self, account: Account, renewed_hash: str | None = None) -> SignedIn | UserIsDeleted:
        async def work(transaction: Transaction) -> SignedIn | UserIsDeleted:
            await transaction.lock(Lock.ACCOUNT, account.id)
            now = await transaction.accounts.by_id(account.id)
            if now is None or now.deleted_at is not None:
                return UserIsDeleted()
            if renewed_hash is not None and now.password_hash == account.password_hash:
                await transaction.accounts.set_password_hash(account.id, renewed_hash, self._clock.now())
            return await self._identity.issue(transaction, account.id)

        return await self._store.write(work)
