"""Publishing in a service's name on every store's terms: what the rooms' people hear, and who may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from regserver.domain.account import Account, AccountId, NewAccount, name_key
from regserver.domain.idempotency import Idempotency
from regserver.domain.operator_outcome import BadServiceName, NotPermitted
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    BadToken,
    IdempotencyConflict,
    RoomNotFound,
    TooManyUsers,
    UsernameTaken,
)
from regserver.domain.room import RoomId
from regserver.domain.room_event import START, Created, Invited, Posted, RoomEvent
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.operator.key import KeyDesk, KeyMade
from regserver.service.operator.unit import LocalOperator, OperatorUnit
from regserver.service.publish_service import Publisher, PublishService
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import ManualClock, SeededRandomness


class World:
    """Ann and Bob, and a key of each role that matters."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = ManualClock()
        self.unit = OperatorUnit(store, self.clock)
        self.desk = KeyDesk(self.unit, SeededRandomness())
        self.publish = PublishService(self.unit, max_members=3)

    async def key(self, role: str) -> SecretHash:
        made = await self.desk.create(LocalOperator("command root"), role, role)
        assert isinstance(made, KeyMade)
        return hash_secret(made.secret)

    async def person(self, name: str) -> AccountId:
        new = NewAccount(username=name, origin="rooms", created_at=self.clock.now())
        added = await self.store.write(lambda transaction: add_account(transaction, new))
        assert isinstance(added, int)
        return AccountId(added)

    async def named(self, name: str) -> Account | None:
        return await self.store.read(lambda transaction: transaction.accounts.by_name(name_key(name)))

    async def log(self) -> list[RoomEvent]:
        found = await self.store.read(lambda transaction: transaction.events.after(START.id, 100))
        return [event for _, event in found if event is not None]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with open_sqlite(folder / "x.db") as store:
        yield World(store)


async def test_a_service_makes_a_room_fills_it_and_posts(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        ann, bob, weather = await here.person("ann"), await here.person("bob"), "Météo du soir"
        who = Publisher(await here.key("publish"), weather)
        room = await here.publish.create(who, "Weather", [ann, ann], None)
        assert isinstance(room, int)
        assert await here.publish.invite(who, str(room), [bob, ann], None) is None
        assert await here.publish.invite(who, str(room), [bob], None) is None
        post = await here.publish.post(who, str(room), "Rain.", None)
        assert isinstance(post, int)
        service = await here.named(weather)
        assert service is not None
        assert (service.username, service.origin, service.password_hash) == (weather, "service", None)
        changes = [(event.actor, event.change) for event in await here.log()]
        assert changes == [
            (service.id, Created((ann,))),
            (service.id, Invited((bob,))),
            (service.id, Posted(post, "Rain.")),
        ]
        shown = await here.store.read(lambda transaction: transaction.posts.by_id(post))
        assert shown is not None
        assert (shown.author, shown.username) == (service.id, weather)


async def test_it_posts_into_rooms_of_others(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        key, ann = await here.key("publish"), await here.person("ann")
        room = await here.publish.create(Publisher(key, "One"), None, [ann], None)
        other = Publisher(key, "Two")
        assert isinstance(await here.publish.post(other, str(room), "x", None), int)
        assert await here.publish.post(other, "99", "x", None) == RoomNotFound()
        assert await here.publish.post(other, "x", "x", None) == BadId()
        assert await here.publish.invite(other, "99", [ann], None) == RoomNotFound()


@pytest.mark.parametrize("role", ["read", "support"])
async def test_only_some_roles_may(tmp_path: Path, role: str) -> None:
    async with world(tmp_path) as here:
        who = Publisher(await here.key(role), "Weather")
        assert await here.publish.create(who, None, [], None) == NotPermitted()
        assert await here.publish.create(Publisher(SecretHash(bytes(32)), "W"), None, [], None) == BadToken()
        assert await here.named("Weather") is None
        assert isinstance(
            await here.publish.create(Publisher(await here.key("admin"), "W"), None, [], None), int
        )


async def test_names_are_nobody_s(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        key, _ = await here.key("publish"), await here.person("ann")
        for name in ("", " ", " x", "a@b", "x" * 65, "a\nb", "a\u200bb"):
            assert await here.publish.create(Publisher(key, name), None, [], None) == BadServiceName(), name
        for name in ("ann", "ANN"):
            assert await here.publish.create(Publisher(key, name), None, [], None) == UsernameTaken()


async def test_people_and_room(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        who = Publisher(await here.key("publish"), "W")
        people = [await here.person(name) for name in ("ann", "bob", "cid")]
        nobody = AccountId(999)
        missing = AccountNotFound((nobody,))
        assert await here.publish.create(who, None, [people[0], nobody], None) == missing
        assert await here.publish.create(who, None, people, None) == TooManyUsers()
        room = await here.publish.create(who, None, people[:2], None)
        assert await here.publish.invite(who, str(room), [people[2]], None) == TooManyUsers()
        assert await here.publish.invite(who, str(room), [nobody], None) == missing


async def test_a_repetition_has_the_first_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        who = Publisher(await here.key("publish"), "W")
        room = await here.publish.create(who, None, [], None)
        once = Idempotency("k", b"one".ljust(32))
        posts = {await here.publish.post(who, str(room), "x", once) for _ in range(3)}
        assert len(posts) == 1
        other = Idempotency("k", b"two".ljust(32))
        assert await here.publish.post(who, str(room), "y", other) == IdempotencyConflict()
        assert len(await here.log()) == 2


async def test_two_first_uses_at_once_make_one_service(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        who = Publisher(await here.key("publish"), "W")
        rooms: list[object] = []

        async def create() -> None:
            rooms.append(await here.publish.create(who, None, [], None))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(create)
        assert len(set(rooms)) == 5
        assert len({event.actor for event in await here.log()}) == 1


async def test_people_of_the_room_see_the_service_as_a_member(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        ann, who = await here.person("ann"), Publisher(await here.key("publish"), "W")
        room = await here.publish.create(who, None, [ann], None)
        assert isinstance(room, int)

        async def read(transaction: Transaction) -> list[str]:
            return [member.username for member in await transaction.rooms.members(RoomId(room), None)]

        assert sorted(await here.store.read(read)) == ["W", "ann"]
