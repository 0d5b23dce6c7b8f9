"""Accounts as operators see and help them: found, listed, their sessions, a link for a new password, in and out of use."""

import msgspec

from regserver.domain.account import Account, AccountId, is_rooms_username, name_key
from regserver.domain.audit import AuditNote
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import AccountUnchanged, NameOnLedger
from regserver.domain.outcome import (
    AccountNotFound,
    BadUsername,
    PasswordAtSource,
    Refusal,
    SessionNotFound,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.room import RoomId
from regserver.domain.session import AccountSession, SessionId
from regserver.domain.webhook import account_hook
from regserver.ports.clock import Clock
from regserver.ports.name_table import account_holder
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import (
    close_locked,
    leave_rooms,
    lock_rooms,
    refuse_locked,
    restore_locked,
)
from regserver.service.account_ending import EndedSessions, end_outstanding
from regserver.service.approval import approve_locked
from regserver.service.mailed_link import add_recovery_link, link_address, new_link_secret
from regserver.service.operator.person import Sockets, find_account, on_account
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.own_password import has_own_password
from regserver.service.session_service import MOST_LISTED, end_session

MOST_USERS = 1000
"""Accounts in one page."""
Missing = Denied | AccountNotFound


class UserShown(msgspec.Struct, frozen=True):
    """An account with the rooms that it is in."""

    account: Account
    rooms: tuple[RoomId, ...]


class ResetLink(msgspec.Struct, frozen=True):
    """A link that sets a new password, once. link: without scheme and host where the server does not know them."""

    link: str
    username: str
    expires_at: Instant


class UserParts(msgspec.Struct, frozen=True):
    """link_base: of links, before /recover. language: of pages, where the account's is not known."""

    unit: OperatorUnit
    clock: Clock
    randomness: Randomness
    sockets: Sockets = Sockets()
    link_base: str = ""
    language: str = "en"


class UserDesk:
    """The use cases. An account is named by user name, address, number, or userId of the steps."""

    def __init__(self, parts: UserParts) -> None:
        self._parts = parts
        self._unit = parts.unit

    # --- seen
    async def list(
        self, who: OperatorCredential, text: str, after_id: AccountId, limit: int
    ) -> tuple[Account, ...] | Denied:
        """Accounts behind a number, by number, whose name or address has the text in it. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[Account, ...]:
            return await transaction.accounts.search(text, after_id, min(limit, MOST_USERS))

        return await self._unit.read(who, Operation.READ_USERS, act)

    async def waiting(self, who: OperatorCredential, limit: int) -> tuple[Account, ...] | Denied:
        """Accounts that wait, the longest first. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[Account, ...]:
            return await transaction.waiting.list(limit)

        return await self._unit.read(who, Operation.READ_USERS, act)

    async def show(self, who: OperatorCredential, name: str) -> UserShown | Missing:
        """One account. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> UserShown | AccountNotFound:
            account = await find_account(transaction, name)
            if account is None:
                return AccountNotFound()
            return UserShown(account, await transaction.rooms.of_account(account.id))

        return await self._unit.read(who, Operation.READ_USERS, act)

    async def sessions(self, who: OperatorCredential, name: str) -> tuple[AccountSession, ...] | Missing:
        """Its sessions and tokens, the last used first. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> tuple[AccountSession, ...] | AccountNotFound:
            account = await find_account(transaction, name)
            if account is None:
                return AccountNotFound()
            return tuple((await transaction.tokens.of_account(account.id, now, MOST_LISTED)).values())

        return await self._unit.read(who, Operation.READ_USERS, act)

    # --- helped
    async def revoke(
        self, who: OperatorCredential, name: str, session: SessionId | None
    ) -> int | Missing | SessionNotFound:
        """Ends one session, or with None all of them; how many. Raises StoreFault."""

        async def change(
            transaction: Transaction, account: Account, _now: Instant
        ) -> EndedSessions | SessionNotFound:
            if session is None:
                everywhere = AccountEvent.SIGNED_OUT_EVERYWHERE
                return await end_outstanding(transaction, everywhere, account.id, None)
            return await end_session(transaction, account.id, session)

        ended = await self._unit.write(who, Operation.HELP_USERS, on_account(name, change))
        if isinstance(ended, Refusal):
            return ended
        self._parts.sockets.end_nowait(ended)
        return len(ended.tokens)

    async def reset_link(
        self, who: OperatorCredential, name: str, life: Duration
    ) -> ResetLink | Missing | UserIsDeleted | PasswordAtSource:
        """A link that needs no mail; whoever opens it sets the account's password. Raises StoreFault."""
        parts, secret = self._parts, new_link_secret(self._parts.randomness)

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> ResetLink | UserIsDeleted | PasswordAtSource:
            if account.deleted_at is not None:
                return UserIsDeleted()
            if not await has_own_password(transaction, account):
                return PasswordAtSource()
            await add_recovery_link(transaction, account.id, secret, parts.clock, life)
            language = await transaction.networks.language(account.id) or parts.language
            transaction.audit.note(AuditNote(action="reset_link_made", account=account.id))
            link = link_address(parts.link_base, "recover", secret, language)
            return ResetLink(link, account.username, after(now, life))

        return await self._unit.write(who, Operation.HELP_USERS, on_account(name, change))

    async def rename(
        self, who: OperatorCredential, name: str, username: str
    ) -> Account | Missing | BadUsername | UsernameTaken | UserIsDeleted | NameOnLedger:
        """Another name; the old one is free at once. A name that stands in the ledger stays. Raises StoreFault."""
        if not is_rooms_username(username):
            return BadUsername()
        key = name_key(username)

        async def act(
            transaction: Transaction, now: Instant
        ) -> Account | AccountNotFound | UsernameTaken | UserIsDeleted | NameOnLedger:
            await transaction.lock(Lock.NAME, key)

            async def change(
                transaction: Transaction, account: Account, now: Instant
            ) -> Account | UsernameTaken | UserIsDeleted | NameOnLedger:
                return await _rename(transaction, account, username, now)

            return await on_account(name, change)(transaction, now)

        return await self._unit.write(who, Operation.HELP_USERS, act)

    async def approve(
        self, who: OperatorCredential, name: str, *, rejects: bool = False
    ) -> Account | Missing | AccountUnchanged:
        """Lets an account in that waits, or deletes it for good. Raises StoreFault."""
        operation = Operation.CHANGE_USERS if rejects else Operation.HELP_USERS

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> Account | AccountUnchanged:
            decide = refuse_locked if rejects else approve_locked
            done = await decide(transaction, account.id, now)
            return await _changed(transaction, account) if done else AccountUnchanged("it does not wait")

        return await self._unit.write(who, operation, on_account(name, change))

    # --- out of use, and back
    async def suspend(
        self, who: OperatorCredential, name: str
    ) -> Account | Missing | UserIsDeleted | AccountUnchanged:
        """Nobody can use it until it is resumed; its sockets close. Raises StoreFault."""

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> Account | UserIsDeleted | AccountUnchanged:
            if account.deleted_at is not None:
                return UserIsDeleted()
            if not await transaction.accounts.suspend(account.id, now):
                return AccountUnchanged("it is suspended already")
            await end_outstanding(transaction, AccountEvent.SUSPENDED, account.id, None)
            await transaction.hooks.tell(account_hook("user.suspended", account.id, now))
            return await _changed(transaction, account)

        account = await self._unit.write(who, Operation.HELP_USERS, on_account(name, change))
        if isinstance(account, Account):
            self._parts.sockets.suspend_nowait(account.id)
        return account

    async def resume(self, who: OperatorCredential, name: str) -> Account | Missing | AccountUnchanged:
        """It can be used again, with the sessions that it had. Raises StoreFault."""

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> Account | AccountUnchanged:
            if not await transaction.accounts.resume(account.id, now):
                return AccountUnchanged("it is not suspended")
            transaction.audit.note(AuditNote(action="account_resumed", account=account.id))
            return await _changed(transaction, account)

        return await self._unit.write(who, Operation.HELP_USERS, on_account(name, change))

    async def delete(self, who: OperatorCredential, name: str) -> Account | Missing | AccountUnchanged:
        """Deletes it, which can be undone for login.deletion_grace. Raises StoreFault."""
        leaves = self._parts.sockets.broker is not None

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> Account | AccountUnchanged:
            if not await close_locked(transaction, account, now):
                return AccountUnchanged("it is deleted already")
            if leaves:  # a command leaves that to the server, whose sockets are to hear of it
                await lock_rooms(transaction, account.id)
                await leave_rooms(transaction, account.id, now)
            return await _changed(transaction, account)

        account = await self._unit.write(who, Operation.CHANGE_USERS, on_account(name, change))
        if isinstance(account, Account):
            await self._parts.sockets.end_account(account.id)
        return account

    async def restore(self, who: OperatorCredential, name: str) -> Account | Missing | AccountUnchanged:
        """Brings a deleted account back, before it is erased. Raises StoreFault."""

        async def change(
            transaction: Transaction, account: Account, now: Instant
        ) -> Account | AccountUnchanged:
            if not await restore_locked(transaction, account.id, now):
                return AccountUnchanged("it is erased" if account.erased_at else "it is not deleted")
            return await _changed(transaction, account)

        return await self._unit.write(who, Operation.HELP_USERS, on_account(name, change))


async def _changed(transaction: Transaction, account: Account) -> Account:
    return await transaction.accounts.by_id(account.id) or account


async def _rename(
    transaction: Transaction, account: Account, username: str, now: Instant
) -> Account | UsernameTaken | UserIsDeleted | NameOnLedger:
    key, old, holder = name_key(username), name_key(account.username), account_holder(account.id)
    if account.deleted_at is not None:
        return UserIsDeleted()
    if account.ledger_name is not None:
        return NameOnLedger()
    if key != old:
        if not await transaction.names.claim(key, holder, None, now):
            return UsernameTaken()
        await transaction.names.release(old, holder)
    await transaction.accounts.rename(account.id, username, now)
    transaction.audit.note(AuditNote(action="account_renamed", account=account.id))
    return await _changed(transaction, account)
