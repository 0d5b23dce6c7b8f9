"""Sign-in at POST /login, for accounts of every door, and the start of a live registration.

    known name, right password → a token, without the source, unless its last yes is too old
    otherwise                  → the source is asked
        it rejects             → BadCredentials
        it cannot tell         → SourceUnavailable
        it accepts             → the account of this source's person, whatever spelling was typed:
            there is one       → a token; a changed password replaces the old one, and ends the other sessions
            there is none      → a live registration

The source is asked about every wrong password, also for known names, so that neither the answer nor its time reveals
whether a name is known. It is asked about unknown names only while there is a place for a registration.

A name may be the account's verified e-mail address, in any spelling; one that is only a wish is as good as unknown.

Each sign-in is a guess at the account of its name, or at the name, and is admitted by the guard. Whatever is refused
afterwards counts as a failure, also where the source cannot tell: the password was compared with the one known here.

Where the account has a second factor, a right password gives a ticket in place of a token; FactorService takes it. An
account that waits for its approval gets neither.
"""

import msgspec

from regserver.domain.account import Account, AccountId, is_sign_in_name, name_key
from regserver.domain.contact import Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Duration
from regserver.domain.outcome import (
    BadCredentials,
    SourceUnavailable,
    TooManyRequests,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.password import normal_form
from regserver.domain.secret import SecretHash
from regserver.ports.account_table import SourceLink
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.password_hasher import PasswordHasher, PasswordMatch
from regserver.ports.source import Accepted, Subject
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import deletion_refusal, restore_locked
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.asker import Asker
from regserver.service.guess_guard import Attempt, GuessGuard
from regserver.service.guess_target import GuessTarget, target_name
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_job import Applicant
from regserver.service.live_service import LiveService
from regserver.service.sign_in_outcome import Entered, Registering, RestoreRefusal, SignInOutcome
from regserver.service.sign_up_gate import invitation_hash
from regserver.service.source_check import SourceCheck


class SignInParts(msgspec.Struct, frozen=True, kw_only=True):
    """source: None when live registration is switched off. recheck: how long the source's yes holds; 0 for ever.

    grace: how long a deleted account can be restored.
    """

    store: Store
    clock: Clock
    hasher: PasswordHasher
    identity: IdentityService
    live: LiveService
    guard: GuessGuard
    broker: Broker
    pepper: Pepper
    source: SourceCheck | None
    recheck: Duration = Duration(0)
    grace: Duration = Duration(0)


class _Credentials(msgspec.Struct, frozen=True):
    """restores: whether a deleted account is brought back, and no other made. invitation: for a new account of the source."""

    username: str
    password: str
    restores: bool
    invitation: SecretHash | None = None

    def __repr__(self) -> str:
        return "_Credentials(…)"


class _Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What is written with the token. new_hash: replaces the account's as it was read. ends_others: when it did.
    link: the source's yes, if it was asked. restores: whether a deleted account is brought back.
    """

    account: Account
    new_hash: str | None = None
    ends_others: bool = False
    link: SourceLink | None = None
    restores: bool = False


class _PasswordReplaced(msgspec.Struct, frozen=True):
    """While the password was compared with its hash, another hash was stored. account: with that one."""

    account: Account


class SignInService:
    """The use cases of POST /login and POST /login/restore."""

    def __init__(self, parts: SignInParts) -> None:
        self._parts = parts

    async def sign_in(
        self, username: str, password: str, asker: Asker, invitation: str | None = None
    ) -> SignInOutcome:
        """A token for right credentials, or a registration if only the source knows them. Raises StoreFault.

        invitation: for the registration, where that needs one.
        """
        given = _Credentials(username, password, restores=False, invitation=invitation_hash(invitation))
        return await self._begin(given, asker)

    async def restore(self, username: str, password: str, asker: Asker) -> SignedIn | RestoreRefusal:
        """The same for an account that was deleted a short time ago: it is as before, but for its rooms, contacts and sessions.

        Nobody is registered by it. Of an account that was not deleted it is a sign-in. Raises StoreFault.
        """
        outcome = await self._begin(_Credentials(username, password, restores=True), asker)
        return outcome if isinstance(outcome, SignedIn | RestoreRefusal) else BadCredentials()

    async def _begin(self, given: _Credentials, asker: Asker) -> SignInOutcome:
        username, password = given.username, given.password
        if not is_sign_in_name(username):
            await self._parts.hasher.verify(password, None)  # so that the answer takes the usual time
            return BadCredentials()
        async with self._parts.guard.attempt(self._target(username), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            return await self._compare(attempt, given, asker)

    def _target(self, username: str) -> GuessTarget:
        """The account of the name, or of the verified address, by which it is guessed at and counted."""
        email = read_email(username) if "@" in username else None
        key = name_key(username)
        contact = None if email is None else self._parts.pepper.contact_key(contact_of_email(email))

        async def find(transaction: Transaction) -> Account | None:
            named = await transaction.accounts.by_name(key)
            if named is not None or contact is None:
                return named
            return await transaction.contacts.owner(contact)

        return target_name(key if email is None else name_key(email), find)

    async def _compare(self, attempt: Attempt, given: _Credentials, asker: Asker) -> SignInOutcome:
        account, source = attempt.account, self._parts.source
        known = account.password_hash if account else None
        match = await self._parts.hasher.verify(given.password, known)
        if match and account is not None:
            return await self._enter(attempt, account, given, match)
        if source is None:
            return BadCredentials()
        if account is None and not self._parts.live.admits(given.username):
            return SourceUnavailable()
        for name in await self._source_names(source, account, given.username):
            match await source.verify(name, normal_form(given.password)):
                case Accepted(subject=subject):
                    link = SourceLink(source.kind, name, self._parts.clock.now())
                    return await self._vouched(attempt, given, subject, link, asker)
                case SourceUnavailable() as unavailable:
                    return unavailable
        return BadCredentials()

    # --- a password that is right here
    async def _enter(
        self, attempt: Attempt, account: Account, given: _Credentials, match: PasswordMatch
    ) -> Entered | BadCredentials:
        link = await self._recheck(account, given.password)
        if isinstance(link, BadCredentials):
            return link
        new_hash = await self._renewed(account, given.password, match)
        admission = _Admission(account=account, new_hash=new_hash, link=link, restores=given.restores)
        admitted = await self._admit(attempt, admission)
        if isinstance(admitted, _PasswordReplaced):
            return await self._compare_again(attempt, admitted.account, given)
        return admitted

    async def _compare_again(
        self, attempt: Attempt, account: Account, given: _Credentials
    ) -> Entered | BadCredentials:
        """With the hash that is stored by now: a new one of the same password, or one of another."""
        match = await self._parts.hasher.verify(given.password, account.password_hash)
        return await self._enter(attempt, account, given, match) if match else BadCredentials()

    async def _recheck(self, account: Account, password: str) -> SourceLink | BadCredentials | None:
        """The source's new yes, or its no; None where it need not be asked, or cannot tell."""
        parts, source = self._parts, self._parts.source
        if not parts.recheck or source is None or account.subject is None or account.deleted_at is not None:
            return None
        link = await parts.store.look_up(lambda transaction: transaction.accounts.source_link(account.id))
        now = parts.clock.now()
        if link is None or not source.owns(link) or now - link.confirmed_at < parts.recheck:
            return None
        match await source.verify(link.name, normal_form(password)):
            case Accepted(subject=subject) if subject == account.subject:
                return SourceLink(source.kind, link.name, now)
            case SourceUnavailable():
                return None
        # Its hash here is out of date: from now on the source alone tells, also while it is down.
        known = account.password_hash or ""
        await parts.store.write(
            lambda transaction: transaction.accounts.renew_password_hash(account.id, known, None, now)
        )
        return BadCredentials()

    async def _renewed(self, account: Account, password: str, match: PasswordMatch) -> str | None:
        """A new hash, if the stored one is outdated: only at sign-in is the password known."""
        if match is not PasswordMatch.OUTDATED or account.deleted_at is not None:
            return None
        return await self._parts.hasher.hash(password)

    # --- a password that is right at the source
    async def _source_names(
        self, source: SourceCheck, account: Account | None, typed: str
    ) -> tuple[str, ...]:
        """The names to ask the source for: the one by which it knows the account's person, then the typed one."""
        number = account.id if account else None
        link = await self._parts.store.look_up(lambda transaction: transaction.accounts.source_link(number))
        if link is None or not source.owns(link) or name_key(link.name) == name_key(typed):
            return (typed,)
        return (link.name, typed)

    async def _vouched(
        self, attempt: Attempt, given: _Credentials, subject: Subject, link: SourceLink, asker: Asker
    ) -> SignInOutcome:
        owner = await self._person(link.source, subject)
        if owner is not None:
            return await self._take_over(attempt, owner, given, link)
        if given.restores:
            return BadCredentials()
        password_hash = await self._parts.hasher.hash(given.password)
        started = await self._parts.live.start(
            Applicant(link.name, subject, password_hash, asker, given.invitation)
        )
        if isinstance(started, UsernameTaken):
            # Meanwhile another sign-in of this person may have been registered.
            owner = await self._person(link.source, subject)
            if owner is not None:
                return await self._take_over(attempt, owner, given, link)
        if not isinstance(started, str):
            attempt.waive()
            return started
        if attempt.account is None:
            await attempt.succeed_alone()
        else:  # somebody else's account has the name
            attempt.waive()
        return Registering(started)

    async def _person(self, source: str, subject: Subject) -> Account | None:
        return await self._parts.store.look_up(
            lambda transaction: transaction.accounts.by_subject(source, subject)
        )

    async def _take_over(
        self, attempt: Attempt, owner: Account, given: _Credentials, link: SourceLink
    ) -> Entered:
        """Signs the source's person in. A password that differs from the one known here was changed at the source."""
        password = given.password
        compared = attempt.account is not None and attempt.account.id == owner.id
        match = PasswordMatch.WRONG
        if not compared:
            match = await self._parts.hasher.verify(password, owner.password_hash)
        changed = not match
        hashing = self._parts.hasher.hash(password) if changed else self._renewed(owner, password, match)
        new_hash = await hashing
        admission = _Admission(
            account=owner, new_hash=new_hash, ends_others=changed, link=link, restores=given.restores
        )
        admitted = await self._admit(attempt, admission)
        assert not isinstance(admitted, _PasswordReplaced)  # noqa: S101  (the source has said yes, whatever is stored)
        return admitted

    # --- the token
    async def _admit(self, attempt: Attempt, admission: _Admission) -> Entered | _PasswordReplaced:
        """A token, unless the account has a second factor, or was deleted meanwhile, or got another password."""
        account = admission.account.id

        async def work(transaction: Transaction) -> tuple[Entered | _PasswordReplaced, EndedSessions | None]:
            # A new password ends all sessions: an old one that was compared before must not open another after it.
            await transaction.lock(Lock.ACCOUNT, account)
            current, now = await transaction.accounts.by_id(account), self._parts.clock.now()
            known = admission.account.password_hash
            if admission.link is None and current is not None and current.password_hash != known:
                return _PasswordReplaced(current), None
            refusal = deletion_refusal(current, self._parts.grace, now, restores=admission.restores)
            if refusal is not None:
                attempt.waive()
                return refusal, None
            ended, changed = None, AccountEvent.PASSWORD_CHANGED_AT_SOURCE
            if await self._store_hash(transaction, admission) and admission.ends_others:
                ended = await end_outstanding(transaction, changed, account, None)
            if admission.link is not None:
                await transaction.accounts.confirm_source(account, admission.link)
            is_deleted = current is not None and current.deleted_at is not None
            return await self._open(transaction, attempt, account, is_deleted=is_deleted), ended

        outcome, ended = await self._parts.store.write(work)
        if ended is not None:
            close_sockets_nowait(self._parts.broker, ended)
        return outcome

    async def _open(
        self, transaction: Transaction, attempt: Attempt, account: AccountId, *, is_deleted: bool
    ) -> Entered:
        """The password is right. A second factor comes before anything that only the account's person may do."""
        identity = self._parts.identity
        refusal = await identity.ask_factor(transaction, account, "restore" if is_deleted else "sign_in")
        if refusal is not None:
            attempt.waive()  # wrong codes go on counting: a right password alone does not reset them
            return refusal
        if is_deleted and not await restore_locked(transaction, account, self._parts.clock.now()):
            attempt.waive()
            return UserIsDeleted()
        await attempt.succeed(transaction, account)
        return await identity.issue(transaction, account, attempt.asker)

    async def _store_hash(self, transaction: Transaction, admission: _Admission) -> bool:
        """Whether the hash was replaced. One that another sign-in has stored meanwhile stays: it was verified as well."""
        if admission.new_hash is None:
            return False
        account, now = admission.account, self._parts.clock.now()
        known = account.password_hash or ""
        return await transaction.accounts.renew_password_hash(account.id, known, admission.new_hash, now)
