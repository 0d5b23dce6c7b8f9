"""Presence over nodes, each with a broker of its own on one store: who is told of whom, and when somebody is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import trio

from regserver.broker.local import LocalBroker, open_local_broker
from regserver.broker.making import Making
from regserver.domain.account import AccountId, NewAccount
from regserver.domain.instant import SECOND, Duration
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, EventId, Left
from regserver.endpoint import Frame
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.node_sight import DEAD_LEASES
from regserver.service.presence_sync import POLL_SECONDS, PresenceSync
from regserver.serving import broadcast_nowait
from tests.broker.test_local import Ear, TrioClock, sign_text
from tests.fake import EPOCH

LEASE = Duration(10 * SECOND)


class Skipping(TrioClock):
    """Jumps ahead."""

    skipped = 0.0

    def elapsed(self) -> float:
        return trio.current_time() + self.skipped


class Node(NamedTuple):
    broker: LocalBroker
    sync: PresenceSync
    run: bytes


class Team(NamedTuple):
    store: Store
    one: Node
    two: Node
    ann: AccountId
    bob: AccountId
    room: RoomId
    end: EventId

    def come(self, node: Node, account: AccountId) -> Ear:
        ear = Ear(account, presence=True)
        node.broker.enter_nowait(ear)
        assert node.broker.attach_nowait(ear, [self.room], self.end)
        return ear

    async def beat(self, *nodes: Node) -> None:
        for node in nodes:
            name = node.run.decode()
            await self.store.write(lambda transaction: transaction.nodes.beat(name, node.run, EPOCH))  # noqa: B023


@asynccontextmanager
async def open_node(store: Store, name: str) -> AsyncIterator[Node]:
    def silent(*_: object) -> Frame:
        return Frame(b"event;")

    making = Making(
        {"plain": silent, "resumable": silent},
        {"plain": sign_text},
        broadcast_nowait,
        lambda frames, receivers: None,
    )
    run = name.encode()
    await store.write(lambda transaction: transaction.nodes.take(name, run, None, EPOCH))
    async with open_local_broker(making, TrioClock(), Duration(0)) as broker:
        sync = PresenceSync(store, Skipping(), broker, run, LEASE)
        broker.link_nowait(sync)
        yield Node(broker, sync, run)


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Team]:
    async def fill(transaction: Transaction) -> tuple[AccountId, AccountId, RoomId, EventId]:
        ann, bob = [
            await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=EPOCH))
            for name in ("ann", "bob")
        ]
        room = await transaction.rooms.add("Tea", EPOCH)
        event = await transaction.events.append(room, ann, Created((bob,)), EPOCH)
        await transaction.rooms.join(event, (ann, bob))
        return ann, bob, room, event.id

    ann, bob, room, end = await store.write(fill)
    async with open_node(store, "one") as one, open_node(store, "two") as two:
        yield Team(store, one, two, ann, bob, room, end)


async def settled(*nodes: Node) -> None:
    """All of them have told and read, twice, and their sockets have been told."""
    for _ in range(2):
        for node in nodes:
            await trio.sleep(0.5)
            await node.sync.step()
    await trio.sleep(1)


def new(ear: Ear) -> list[str]:
    heard = list(ear.heard)
    ear.heard.clear()
    return heard


async def test_people_of_two_nodes_see_each_other_come_and_go(any_store: Store) -> None:
    async with opened(any_store) as team:
        anns = team.come(team.one, team.ann)
        await settled(team.one, team.two)
        bobs = team.come(team.two, team.bob)
        await settled(team.two, team.one)
        online, offline = f"{team.bob}+{team.room}", f"{team.bob}-{team.room}"
        assert (new(anns), new(bobs)) == ([online], [f"{team.ann}+{team.room}"])
        # From one node to the other: nobody sees it.
        again = team.come(team.one, team.bob)
        team.two.broker.detach_nowait(bobs)
        await settled(team.one, team.two)
        assert new(anns) == []
        team.one.broker.detach_nowait(again)
        await settled(team.one, team.two)
        assert new(anns) == [offline]


async def test_a_membership_ends_on_every_node(any_store: Store) -> None:
    async with opened(any_store) as team:
        anns = team.come(team.one, team.ann)
        team.come(team.two, team.bob)
        await settled(team.two, team.one)
        assert new(anns) == [f"{team.bob}+{team.room}"]
        left = Left(deleted=False)
        event = await any_store.write(
            lambda transaction: transaction.events.append(team.room, team.bob, left, EPOCH)
        )
        for node in (team.one, team.two):
            node.broker.publish_nowait([event])
        assert new(anns) == ["event"]  # UserLeftRoom, which says all
        await settled(team.one, team.two)
        assert new(anns) == []


async def test_people_of_a_node_that_was_killed_go_in_time(any_store: Store) -> None:
    """It shows no sign of life; its rows go when another tells something after its name was given to somebody else."""
    async with opened(any_store) as team:
        anns = team.come(team.one, team.ann)
        team.come(team.two, team.bob)
        await settled(team.two, team.one)
        assert new(anns) == [f"{team.bob}+{team.room}"]
        for _ in range(3):
            await trio.sleep(0.2)
            await team.beat(team.two)
            await team.one.sync.step()
        assert new(anns) == []
        Skipping.skipped += DEAD_LEASES * LEASE.seconds + POLL_SECONDS
        await settled(team.one)
        assert new(anns) == [f"{team.bob}-{team.room}"]
        await any_store.write(lambda transaction: transaction.nodes.leave("two", team.two.run))
        team.come(team.one, team.bob)
        await team.one.sync.step()
        assert (
            await any_store.read(lambda transaction: transaction.presences.of_run(team.two.run))
            == frozenset()
        )


async def test_where_nobody_asks_nothing_is_read(any_store: Store) -> None:
    async with opened(any_store) as team:
        team.come(team.two, team.bob)
        await settled(team.two, team.one)
        assert not team.one.broker.is_asked()
        anns = team.come(team.one, team.ann)
        await settled(team.one)
        assert new(anns) == [f"{team.bob}+{team.room}"]
        team.one.broker.detach_nowait(anns)
        await settled(team.one)
        again = team.come(team.one, team.ann)
        await settled(team.one)
        assert new(again) == [f"{team.bob}+{team.room}"]
