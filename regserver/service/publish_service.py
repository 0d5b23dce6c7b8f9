"""Rooms in a service's name: whoever holds a publish key posts as "Weather", and makes and fills rooms.

A service is an account without a password, of the origin "service", made at its first use under a name that nobody has. So
people's clients meet it as they meet anybody: a member with a name and a number. It may post into every room.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import msgspec

from regserver.domain.account import Account, AccountId, NewAccount, name_key
from regserver.domain.idempotency import Idempotency, account_scope
from regserver.domain.imported_person import is_display_name
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import BadServiceName
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    IdempotencyConflict,
    Refusal,
    RoomNotFound,
    TooManyUsers,
    UsernameTaken,
)
from regserver.domain.room import PostId, RoomId, parse_id
from regserver.domain.room_event import Created, Invited, Posted
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account
from regserver.service.operator.unit import Denied, KeyHolder, OperatorUnit

T = TypeVar("T")
Unnamed = Denied | BadServiceName | UsernameTaken | IdempotencyConflict
ServiceAct = Callable[[Transaction, AccountId, Instant], Awaitable[T]]


class Publisher(msgspec.Struct, frozen=True):
    """Who publishes. key: the hash of an operator key. service: the name that people see."""

    key: SecretHash
    service: str


class PublishService:
    """max_members: of one room."""

    def __init__(self, unit: OperatorUnit, max_members: int) -> None:
        self._unit = unit
        self._max_members = max_members

    async def post(
        self, who: Publisher, room_text: str, content: str, idempotency: Idempotency | None
    ) -> PostId | Unnamed | BadId | RoomNotFound:
        """Writes a post, also in a room that the service is not in. Raises StoreFault."""

        async def act(
            transaction: Transaction, service: AccountId, now: Instant
        ) -> PostId | BadId | RoomNotFound:
            room = await _locked_room(transaction, room_text, service)
            if isinstance(room, Refusal):
                return room
            post = await transaction.posts.add(room, service, content, now)
            transaction.events.append_last(room, service, Posted(post, content), now)
            return post

        return await self._act(who, idempotency, act)

    async def create(
        self,
        who: Publisher,
        name: str | None,
        others: Sequence[AccountId],
        idempotency: Idempotency | None,
    ) -> RoomId | Unnamed | AccountNotFound | TooManyUsers:
        """Creates a room with the service and `others` as members. Raises StoreFault."""

        async def act(
            transaction: Transaction, service: AccountId, now: Instant
        ) -> RoomId | AccountNotFound | TooManyUsers:
            guests = tuple(guest for guest in dict.fromkeys(others) if guest != service)
            await transaction.lock(Lock.ACCOUNT, service, *guests)
            if refusal := await self._cannot_hold(transaction, guests, 1):
                return refusal
            room = await transaction.rooms.add(name, now)
            await transaction.rooms.give(room, service)
            event = await transaction.events.append(room, service, Created(guests), now)
            await transaction.rooms.join(event, (service, *guests))
            return room

        return await self._act(who, idempotency, act)

    async def invite(
        self,
        who: Publisher,
        room_text: str,
        others: Sequence[AccountId],
        idempotency: Idempotency | None,
    ) -> Unnamed | BadId | RoomNotFound | AccountNotFound | TooManyUsers | None:
        """Makes `others` members of any room; those who are in are skipped. Raises StoreFault."""

        async def act(
            transaction: Transaction, service: AccountId, now: Instant
        ) -> BadId | RoomNotFound | AccountNotFound | TooManyUsers | None:
            await transaction.lock(Lock.ACCOUNT, *dict.fromkeys(others))
            room = await _locked_room(transaction, room_text, service)
            if isinstance(room, Refusal):
                return room
            here = await transaction.rooms.present(room, others)
            newcomers = tuple(guest for guest in dict.fromkeys(others) if guest not in here)
            access = await transaction.rooms.access(room, service)
            count = 0 if access is None else access.room.member_count
            if refusal := await self._cannot_hold(transaction, newcomers, count):
                return refusal
            if newcomers:
                event = await transaction.events.append(room, service, Invited(newcomers), now)
                await transaction.rooms.join(event, newcomers)
                await transaction.rooms.touch(room, now)
            return None

        return await self._act(who, idempotency, act)

    async def _cannot_hold(
        self, transaction: Transaction, guests: tuple[AccountId, ...], count: int
    ) -> AccountNotFound | TooManyUsers | None:
        living = await transaction.accounts.living(guests)
        if missing := tuple(guest for guest in guests if guest not in living):
            return AccountNotFound(missing)
        return TooManyUsers() if count + len(guests) > self._max_members else None

    async def _act(self, who: Publisher, idempotency: Idempotency | None, act: ServiceAct[T]) -> T | Unnamed:
        """Runs `act` as the service, once for each Idempotency-Key. What it returns is an id, None or a refusal."""

        async def publish(
            transaction: Transaction, now: Instant
        ) -> T | BadServiceName | UsernameTaken | IdempotencyConflict:
            service = await _service(transaction, who.service, now)
            if isinstance(service, Refusal):
                return service
            if idempotency is None:
                return await act(transaction, service, now)
            scope = account_scope(service)
            stored = await transaction.idempotency.take(scope, idempotency, now)
            if stored is not None:
                same = stored.digest == idempotency.digest
                return cast("T", stored.answer) if same else IdempotencyConflict()
            outcome = await act(transaction, service, now)
            if isinstance(outcome, Refusal):
                await transaction.idempotency.release(scope, idempotency.key)
            else:
                await transaction.idempotency.keep(scope, idempotency.key, cast("int | None", outcome))
            return outcome

        return await self._unit.write(KeyHolder(who.key), Operation.PUBLISH, publish)


async def _service(
    transaction: Transaction, name: str, now: Instant
) -> AccountId | BadServiceName | UsernameTaken:
    """The service's account. Of two first uses at once the second waits for the name, and finds the account."""
    if not is_display_name(name):
        return BadServiceName()
    if (found := await transaction.accounts.by_name(name_key(name))) is not None:
        return _as_service(found)
    added = await add_account(transaction, NewAccount(username=name, origin="service", created_at=now))
    if isinstance(added, Refusal):
        found = await transaction.accounts.by_name(name_key(name))
        return UsernameTaken() if found is None else _as_service(found)
    return added


def _as_service(account: Account) -> AccountId | UsernameTaken:
    return account.id if account.origin == "service" and account.is_usable else UsernameTaken()


async def _locked_room(
    transaction: Transaction, room_text: str, service: AccountId
) -> RoomId | BadId | RoomNotFound:
    number = parse_id(room_text)
    if number is None:
        return BadId()
    await transaction.lock(Lock.ROOM, number)
    access = await transaction.rooms.access(RoomId(number), service)
    return RoomNotFound() if access is None else access.room.id
