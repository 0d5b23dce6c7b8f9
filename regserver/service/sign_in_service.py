"""Sign-in at POST /login, for accounts of every door, and the start of a live registration.

    known name, right password → a token, without the source
    otherwise                  → the source is asked
        it rejects             → BadCredentials
        it cannot tell         → SourceUnavailable
        it accepts:
            an account of the same person    → its password hash is replaced; a token
            an account of another person     → UsernameTaken
            no account                       → a live registration

The source is asked about every wrong password, also for known names, so that neither the answer nor its time reveals
whether a name is known. It is asked about unknown names only while there is a place for a registration.
"""

import logging

import msgspec

from regserver.domain.account import Account, is_sign_in_name, name_key
from regserver.domain.live_progress import RegistrationId
from regserver.domain.outcome import BadCredentials, SourceUnavailable, UserIsDeleted, UsernameTaken
from regserver.domain.password import normal_form
from regserver.ports.clock import Clock
from regserver.ports.password_hasher import PasswordHasher, PasswordMatch
from regserver.ports.source import Accepted, Rejected, Source, Subject, Unavailable
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_service import LiveService

log = logging.getLogger("regserver.sign_in")


class Registering(msgspec.Struct, frozen=True):
    """A registration of this user runs; the knowledge of its id is the right to watch it."""

    registration: RegistrationId


SignInRefusal = BadCredentials | UserIsDeleted | UsernameTaken | SourceUnavailable


class SourceCheck:
    """max_asking: sign-ins that may wait for the source at once."""

    def __init__(self, source: Source, max_asking: int) -> None:
        self._source = source
        self._max_asking = max_asking
        self._asking = 0

    async def verify(self, username: str, password: str) -> Accepted | Rejected | SourceUnavailable:
        """The source's verdict on the credentials. A sign-in beyond the bound is refused at once."""
        if self._asking >= self._max_asking:
            return SourceUnavailable()
        self._asking += 1
        try:
            verdict = await self._source.verify(username, password)
        finally:
            self._asking -= 1
        if isinstance(verdict, Unavailable):
            log.warning("the source cannot check a sign-in: %s", verdict.detail)
            return SourceUnavailable()
        return verdict


class SignInService:
    """source: None when live registration is switched off."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hasher: PasswordHasher,
        identity: IdentityService,
        live: LiveService,
        source: SourceCheck | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher
        self._identity = identity
        self._live = live
        self._source = source

    async def sign_in(
        self, username: str, password: str, language: str
    ) -> SignedIn | Registering | SignInRefusal:
        """A token for right credentials, or a registration if only the source knows them. Raises StoreFault.

        language: of the registration's messages.
        """
        if not is_sign_in_name(username):
            await self._hasher.verify(password, None)  # so that the answer takes the usual time
            return BadCredentials()
        account = await self._find(username)
        match = await self._hasher.verify(password, account.password_hash if account else None)
        if match and account is not None:
            return await self._admit(account, await self._renew(account, password, match))
        if self._source is None:
            return BadCredentials()
        if account is None and not self._live.admits(username):
            return SourceUnavailable()
        match await self._source.verify(username, normal_form(password)):
            case Rejected():
                return BadCredentials()
            case SourceUnavailable() as unavailable:
                return unavailable
            case Accepted(subject=subject):
                if account is not None and account.subject != subject:
                    return UsernameTaken()  # the account is another person's
                password_hash = await self._hasher.hash(password)
                if account is not None:
                    return await self._admit(account, password_hash)
                return await self._register(username, subject, password_hash, language)

    async def _find(self, username: str) -> Account | None:
        key = name_key(username)
        return await self._store.read(lambda transaction: transaction.accounts.by_name(key))

    async def _register(
        self, username: str, subject: Subject, password_hash: str, language: str
    ) -> SignedIn | Registering | SignInRefusal:
        started = await self._live.start(username, subject, password_hash, language)
        if isinstance(started, str):
            return Registering(started)
        if isinstance(started, UsernameTaken):
            # Meanwhile another sign-in of this person may have been registered.
            account = await self._find(username)
            if account is not None and account.subject == subject:
                return await self._admit(account, password_hash)
        return started

    async def _renew(self, account: Account, password: str, match: PasswordMatch) -> str | None:
        """A new hash, if the stored one is outdated: only at sign-in is the password known."""
        if match is not PasswordMatch.OUTDATED or account.deleted_at is not None:
            return None
        return await self._hasher.hash(password)

    async def _admit(self, account: Account, new_hash: str | None = None) -> SignedIn | UserIsDeleted:
        """A token, unless the account was deleted meanwhile. new_hash: replaces the one that was read with `account`."""

        async def work(transaction: Transaction) -> SignedIn | UserIsDeleted:
            current = await transaction.accounts.by_id(account.id)
            if current is None or current.deleted_at is not None:
                return UserIsDeleted()
            # A hash that another sign-in has stored meanwhile stays: its password was verified as well.
            if new_hash is not None and account.password_hash is not None:
                now = self._clock.now()
                await transaction.accounts.renew_password_hash(
                    account.id, account.password_hash, new_hash, now
                )
            return await self._identity.issue(transaction, account.id)

        return await self._store.write(work)
