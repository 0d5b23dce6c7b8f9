"""Accounts: sign-up at the rooms door, what an account knows of itself, sign-out, deletion."""

import msgspec

from regserver.domain.account import (
    Account,
    AccountId,
    NewAccount,
    email_key,
    is_email,
    is_rooms_password,
    is_rooms_username,
    is_sign_in_name,
    name_key,
)
from regserver.domain.idempotency import Idempotency, StoredAnswer, sign_up_scope
from regserver.domain.outcome import (
    AccountNotFound,
    BadEmail,
    BadId,
    BadPassword,
    BadToken,
    BadUsername,
    EmailTaken,
    IdempotencyConflict,
    RegistrationClosed,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.room import RoomId, parse_id
from regserver.domain.room_event import Left
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.name_table import account_holder
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.store import Store
from regserver.ports.transaction import Conflict, Lock, Transaction
from regserver.service.identity_service import IdentityService, SignedIn, Unidentified
from regserver.service.room_service import leave_room

SignedUp = (
    SignedIn
    | BadEmail
    | BadUsername
    | BadPassword
    | UsernameTaken
    | EmailTaken
    | RegistrationClosed
    | IdempotencyConflict
)


class AccountDetail(msgspec.Struct, frozen=True):
    """An account as its owner sees it."""

    account: Account
    rooms: tuple[RoomId, ...]


async def add_account(
    transaction: Transaction, account: NewAccount, reserved_by: str = ""
) -> AccountId | UsernameTaken | EmailTaken:
    """Writes an account and takes its name for good; every door's sign-up ends here.

    reserved_by: the holder of a reservation of this name that the caller owns, if there is one. On a refusal the
    caller's transaction must be given up or have written nothing else.
    """
    key = name_key(account.username)
    await transaction.lock(Lock.NAME, key)
    held = await transaction.names.holder(key, account.created_at)
    if held is not None and held.key != reserved_by:
        return UsernameTaken()
    added = await transaction.accounts.add(account)
    if added is None:
        return EmailTaken()
    if held is not None:
        await transaction.names.release(key, held.key)
    if not await transaction.names.claim(key, account_holder(added), None, account.created_at):
        raise Conflict("a name was reserved meanwhile")
    return added


class AccountService:
    """open_registration: whether the rooms door takes sign-ups."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hasher: PasswordHasher,
        identity: IdentityService,
        broker: Broker,
        *,
        open_registration: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher
        self._identity = identity
        self._broker = broker
        self._open = open_registration

    async def register(
        self, username: str, email: str, password: str, idempotency: Idempotency | None = None
    ) -> SignedUp:
        """Sign-up at the rooms door. The checks come in the protocol's order."""
        if not is_email(email):
            return BadEmail()
        if not is_rooms_username(username):
            return BadUsername()
        if not is_rooms_password(password):
            return BadPassword()
        if not self._open:
            return RegistrationClosed()
        if idempotency is not None and (again := await self._register_again(username, password, idempotency)):
            return again
        new = NewAccount(username=username, email=email, origin="rooms", created_at=self._clock.now())
        # Looked at before the hash is paid for, and settled by the unique keys when the row is written.
        if refusal := await self._store.read(lambda transaction: _taken(transaction, new)):
            return refusal
        password_hash = await self._hasher.hash(password)
        new = msgspec.structs.replace(new, password_hash=password_hash, created_at=self._clock.now())

        async def work(transaction: Transaction) -> SignedIn | UsernameTaken | EmailTaken:
            added = await add_account(transaction, new)
            if isinstance(added, UsernameTaken | EmailTaken):
                return added
            if idempotency is not None:
                scope = sign_up_scope(name_key(username))
                await transaction.idempotency.take(scope, idempotency, new.created_at)
                await transaction.idempotency.keep(scope, idempotency.key, added)
            return await self._identity.issue(transaction, added)

        outcome = await self._store.write(work)
        if idempotency is not None and isinstance(outcome, UsernameTaken | EmailTaken):
            # Two of the same request at once: the one that came second finds the other's account.
            return await self._register_again(username, password, idempotency) or outcome
        return outcome

    async def _register_again(
        self, username: str, password: str, idempotency: Idempotency
    ) -> SignedIn | IdempotencyConflict | None:
        """The answer to a repeated sign-up; None when this key signed nobody up.

        The first token is not stored anywhere, so a repetition gets one of its own, for the same password.
        """

        async def look(transaction: Transaction) -> tuple[StoredAnswer, Account | None] | None:
            scope = sign_up_scope(name_key(username))
            stored = await transaction.idempotency.find(scope, idempotency.key, self._clock.now())
            if stored is None or stored.answer is None:
                return None
            return stored, await transaction.accounts.by_id(AccountId(stored.answer))

        found = await self._store.read(look)
        if found is None:
            return None
        stored, account = found
        if account is None or account.deleted_at is not None or stored.digest != idempotency.digest:
            return IdempotencyConflict()
        if not await self._hasher.verify(password, account.password_hash):
            return IdempotencyConflict()
        return await self._store.write(lambda transaction: self._identity.issue(transaction, account.id))

    async def info(self, token: SecretHash) -> AccountDetail | Unidentified:
        """The asker's account, and the rooms it is in."""

        async def act(transaction: Transaction, account: Account) -> AccountDetail:
            return AccountDetail(account, await transaction.rooms.of_account(account.id))

        return await self._identity.read(token, act)

    async def id_of(self, token: SecretHash, username: str) -> AccountId | Unidentified | AccountNotFound:
        """The id of the living account with this name, however the name is spelt."""

        async def act(transaction: Transaction, _: Account) -> AccountId | AccountNotFound:
            found = (
                await transaction.accounts.by_name(name_key(username)) if is_sign_in_name(username) else None
            )
            return AccountNotFound() if found is None or found.deleted_at is not None else found.id

        return await self._identity.read(token, act)

    async def name_of(self, token: SecretHash, user_id: str) -> str | Unidentified | BadId | AccountNotFound:
        """The user name of the living account with this id. user_id: as it stands in the path."""

        async def act(transaction: Transaction, _: Account) -> str | BadId | AccountNotFound:
            wanted = parse_id(user_id)
            if wanted is None:
                return BadId()
            found = await transaction.accounts.by_id(AccountId(wanted))
            return AccountNotFound() if found is None or found.deleted_at is not None else found.username

        return await self._identity.read(token, act)

    async def delete(self, token: SecretHash) -> Unidentified | None:
        """Deletes the asker's account: it leaves every room in the same transaction, and its sockets are gone on return.

        Name, e-mail and tokens stay, so that all of them go on answering UserIsDeleted.
        """

        async def act(transaction: Transaction, account: Account) -> AccountId | UserIsDeleted:
            now = self._clock.now()
            await transaction.lock(Lock.ACCOUNT, account.id)
            if not await transaction.accounts.mark_deleted(account.id, now):
                return UserIsDeleted()
            if rooms := await transaction.rooms.of_account(account.id):
                await transaction.lock(Lock.ROOM, *rooms)
            # Read again: some of them may have been left before their locks were taken.
            for room in await transaction.rooms.of_account(account.id):
                await leave_room(transaction, room, account.id, Left(deleted=True), now)
            return account.id

        deleted = await self._identity.write(token, None, act)
        if isinstance(deleted, Unidentified):
            return deleted
        await self._broker.end_account(deleted)
        return None

    async def sign_out(self, token: SecretHash, *, everywhere: bool) -> Unidentified | None:
        """Revokes the token, or all of the account's; their sockets end."""

        async def act(transaction: Transaction, account: Account) -> AccountId:
            if everywhere:
                await transaction.tokens.remove_all(account.id)
            else:
                await transaction.tokens.remove(token)
            return account.id

        account = await self._identity.write(token, None, act)
        if isinstance(account, Unidentified):
            return account
        if everywhere:
            self._broker.end_account_nowait(account, BadToken())
        else:
            self._broker.end_token_nowait(token, BadToken())
        return None


async def _taken(transaction: Transaction, new: NewAccount) -> UsernameTaken | EmailTaken | None:
    if await transaction.names.holder(name_key(new.username), new.created_at) is not None:
        return UsernameTaken()
    if new.email is not None and await transaction.accounts.by_email(email_key(new.email)) is not None:
        return EmailTaken()
    return None
