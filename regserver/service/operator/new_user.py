"""Accounts that an operator makes, and passwords that an operator sets."""

import msgspec

from regserver.domain.account import Account, NewAccount, is_rooms_username
from regserver.domain.audit import AuditNote
from regserver.domain.contact import Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import (
    BadEmail,
    BadPassword,
    BadUsername,
    EmailTaken,
    PasswordAtSource,
    Refusal,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.password import is_rooms_password
from regserver.ports.clock import Clock
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions, end_outstanding
from regserver.service.add_account import add_account
from regserver.service.operator.person import Sockets, on_account
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.operator.user import Missing
from regserver.service.own_password import has_own_password, is_new_password


class UserWish(msgspec.Struct, frozen=True, kw_only=True):
    """An account to be. email: None for none; is_verified: the operator knows that it is the person's. password: None where the
    person sets one by a link.
    """

    username: str
    email: str | None = None
    is_verified: bool = False
    password: str | None = None

    def __repr__(self) -> str:
        return f"UserWish({self.username!r}, …)"


class NewUserParts(msgspec.Struct, frozen=True):
    """What it works with."""

    unit: OperatorUnit
    clock: Clock
    hasher: PasswordHasher
    pepper: Pepper
    sockets: Sockets = Sockets()


NotMade = Denied | BadUsername | BadEmail | BadPassword | UsernameTaken | EmailTaken


class NewUserDesk:
    """The use cases; the gates of the doors do not apply to operators."""

    def __init__(self, parts: NewUserParts) -> None:
        self._parts = parts

    async def create(self, who: OperatorCredential, wish: UserWish) -> Account | NotMade:
        """An account with its name, and its address if it has one. Raises StoreFault."""
        parts = self._parts
        email = None if wish.email is None else read_email(wish.email)
        if not is_rooms_username(wish.username):
            return BadUsername()
        if wish.email is not None and email is None:
            return BadEmail()
        if wish.password is not None and not self._is_good(wish.password, (wish.username, email or "")):
            return BadPassword()
        if refusal := await parts.unit.check(who, Operation.CHANGE_USERS):
            return refusal
        claim = (
            None
            if email is None
            else parts.pepper.claim(contact_of_email(email), is_verified=wish.is_verified)
        )
        new = NewAccount(
            username=wish.username,
            origin="operator",
            created_at=parts.clock.now(),
            email=email,
            password_hash=None if wish.password is None else await parts.hasher.hash(wish.password),
            contact=claim,
        )

        async def act(transaction: Transaction, _now: Instant) -> Account | UsernameTaken | EmailTaken:
            if claim is not None:
                await transaction.lock(Lock.EMAIL, claim.key)
            added = await add_account(transaction, new)
            if isinstance(added, UsernameTaken | EmailTaken):
                return added
            assert isinstance(added, int)  # noqa: S101  (without an entry of a gate nobody is refused)
            account = await transaction.accounts.by_id(added)
            assert account is not None  # noqa: S101  (it was written)
            return account

        return await parts.unit.write(who, Operation.CHANGE_USERS, act)

    async def set_password(
        self, who: OperatorCredential, name: str, password: str
    ) -> Account | Missing | BadPassword | UserIsDeleted | PasswordAtSource:
        """Sets it, and ends all sessions, links and codes of the account. Raises StoreFault."""
        parts = self._parts
        if not self._is_good(password, ()):
            return BadPassword()
        if refusal := await parts.unit.check(who, Operation.CHANGE_USERS):
            return refusal
        new_hash = await parts.hasher.hash(password)

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> tuple[Account, EndedSessions] | BadPassword | UserIsDeleted | PasswordAtSource:
            if account.deleted_at is not None:
                return UserIsDeleted()
            if not await has_own_password(transaction, account):
                return PasswordAtSource()
            if not is_new_password(parts.hasher, password, account):
                return BadPassword()
            known = account.password_hash or ""
            await transaction.accounts.renew_password_hash(account.id, known, new_hash, now)
            await transaction.guesses.forget(account.id)
            transaction.audit.note(AuditNote(action="password_set", account=account.id))
            return account, await end_outstanding(transaction, AccountEvent.RECOVERED, account.id, None)

        found = await parts.unit.write(who, Operation.CHANGE_USERS, on_account(name, change))
        if isinstance(found, Refusal):
            return found
        parts.sockets.end_nowait(found[1])
        return found[0]

    def _is_good(self, password: str, own: tuple[str, ...]) -> bool:
        return is_rooms_password(password) and not self._parts.hasher.is_guessable(password, *own)
