"""Events that wait for the same sockets leave in one write; who hears what, and in which order, is as if each left alone.

The model applies the log to the memberships event by event. The real queues get the same log in commits of several events,
with slices of a few sends, while sockets come and go.
"""

from unittest import mock

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from regserver.broker import delivery_queue, round_robin
from regserver.broker.local import LocalBroker
from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import (
    Audience,
    Change,
    EventId,
    Invited,
    Left,
    OfferAccepted,
    Offered,
    Posted,
    RoomEvent,
    audience,
    guests,
    newcomers,
)
from regserver.endpoint import Frame
from tests.broker.test_local import ANN, POST, TEA, Ear, attach, numbers, opened

ROOMS = [RoomId(number) for number in (1, 2)]
PEOPLE = [AccountId(number) for number in range(1, 6)]


class Commit(msgspec.Struct, frozen=True):
    """Events of one commit: an actor, a room, what it does there, and to whom."""

    wishes: list[tuple[AccountId, RoomId, str, AccountId]]


class Attach(msgspec.Struct, frozen=True):
    account: AccountId
    resumable: bool
    echo: bool


class Detach(msgspec.Struct, frozen=True):
    number: int


class Pause(msgspec.Struct, frozen=True):
    checkpoints: int


people, rooms = st.sampled_from(PEOPLE), st.sampled_from(ROOMS)
kinds = st.sampled_from(["post", "post", "post", "invite", "leave", "offer"])
steps = st.one_of(
    st.builds(Commit, st.lists(st.tuples(people, rooms, kinds, people), min_size=1, max_size=8)),
    st.builds(Attach, people, st.booleans(), st.booleans()),
    st.builds(Detach, st.integers(0, 9)),
    st.builds(Pause, st.integers(1, 3)),
)


class World:
    """The memberships as the log has them, and what each attached socket has to hear."""

    def __init__(self, broker: LocalBroker) -> None:
        self.broker = broker
        self.members: dict[RoomId, set[AccountId]] = {room: set(PEOPLE[:3]) for room in ROOMS}
        self.end = 0
        self.ears: list[Ear] = []
        self.expected: dict[int, list[tuple[RoomId, int]]] = {}
        self.attached: set[int] = set()

    def event(self, actor: AccountId, room: RoomId, kind: str, other: AccountId) -> RoomEvent | None:
        """The event of a wish; None where it makes no sense."""
        inside = self.members[room]
        change: Change
        match kind:
            case "invite" if actor in inside and other not in inside:
                change = Invited((other,))
            case "offer" if actor in inside and other not in inside:
                change = Offered((other,))
            case "offer" if actor not in inside and other in inside:
                change = OfferAccepted(host=other, newcomer=actor)
            case "leave" if actor in inside:
                change = Left(deleted=False)
            case "post" if actor in inside:
                change = Posted(PostId(self.end + 1), "x")
            case _:
                return None
        self.end += 1
        event = RoomEvent(id=EventId(self.end), room=room, actor=actor, at=Instant(0), change=change)
        inside.update(newcomers(change))
        for number in self.attached:
            account, echo = self.ears[number].account, self.ears[number].echo
            concerned = account in inside or account in guests(change)
            if concerned and audience(event, account, echo=echo) is not None:
                self.expected[number].append((room, self.end))
        if isinstance(change, Left):
            inside.discard(actor)
        return event

    async def do(self, step: Commit | Attach | Detach | Pause) -> None:
        match step:
            case Commit(wishes):
                made = [self.event(*wish) for wish in wishes]
                self.broker.publish_nowait([event for event in made if event is not None])
            case Attach(account, resumable, echo):
                ear = Ear(account, resumable=resumable, echo=echo)
                inside = [room for room in ROOMS if account in self.members[room]]
                self.expected[len(self.ears)] = []
                self.attached.add(len(self.ears))
                self.ears.append(attach(self.broker, ear, inside, self.end))
            case Detach(number):
                if number in self.attached:
                    self.attached.remove(number)
                    self.broker.detach_nowait(self.ears[number])
            case Pause(checkpoints):
                for _ in range(checkpoints):
                    await trio.lowlevel.checkpoint()

    def check(self) -> None:
        for number, ear in enumerate(self.ears):
            expected, heard = self.expected[number], numbers(ear)
            room_of = {event: room for room, event in expected}
            assert set(heard) <= set(room_of)
            if number in self.attached:
                assert len(heard) == len(expected)
            if ear.kind == "resumable":  # in the order of the log, up to where it went away
                assert heard == [event for _, event in expected][: len(heard)]
            for room in ROOMS:  # nothing missed in between, nothing twice
                in_room = [event for event in heard if room_of[event] == room]
                assert in_room == [event for where, event in expected if where == room][: len(in_room)]


@settings(max_examples=300)
@given(st.lists(steps, max_size=40), st.sampled_from([1, 2, 5]), st.sampled_from([1, 3, 64]))
def test_everybody_hears_what_the_model_says(
    plan: list[Commit | Attach | Detach | Pause], slice_sends: int, most: int
) -> None:
    async def run() -> None:
        async with opened() as (broker, _):
            world = World(broker)
            for step in plan:
                await world.do(step)
            await wait_all_tasks_blocked()
            world.check()

    sizes = mock.patch.multiple(delivery_queue, SLICE=slice_sends, AT_ONCE=slice_sends, MOST_JOINED=most)
    with sizes, mock.patch.object(round_robin, "SEND_BYTES", 30):  # some writes cost several sends
        trio.run(run)


async def test_a_burst_is_one_write_a_socket(resumable: bool) -> None:
    async with opened() as (broker, log):
        crowd = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(2, 600)]
        burst = 40
        for _ in range(burst):
            log.say(TEA, ANN)
        await wait_all_tasks_blocked()
        assert all(numbers(ear) == list(range(1, burst + 1)) for ear in crowd)
        assert {len(ear.writes) for ear in crowd} == {1}


async def test_what_comes_between_two_slices_joins_the_later_ones(resumable: bool) -> None:
    async with opened() as (broker, log):
        crowd = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(2, 602)]
        log.say(TEA, ANN)
        while not crowd[0].heard:
            await trio.lowlevel.checkpoint()
        early = sum(bool(ear.heard) for ear in crowd)
        assert early < len(crowd)
        burst = 4
        for _ in range(burst - 1):
            log.say(TEA, ANN)
        await wait_all_tasks_blocked()
        assert all(numbers(ear) == list(range(1, burst + 1)) for ear in crowd)
        assert [len(ear.writes) for ear in crowd] == [2] * early + [1] * (len(crowd) - early)


async def test_those_who_act_hear_the_others(resumable: bool) -> None:
    """Everybody posts at once, in one commit: each socket gets all but its own account's, in one write."""
    async with opened() as (broker, log):
        crowd = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(1, 301)]
        broker.publish_nowait([log.event(TEA, AccountId(n), POST) for n in range(1, 21)])
        await wait_all_tasks_blocked()
        for ear in crowd:
            assert numbers(ear) == [n for n in range(1, 21) if n != ear.account]
            assert len(ear.writes) == 1


async def test_what_concerns_few_leaves_at_once(resumable: bool) -> None:
    async with opened() as (broker, log):
        few = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(2, 152)]
        log.say(TEA, ANN)
        assert all(numbers(ear) == [1] for ear in few)  # without a checkpoint


def with_content(event: RoomEvent, _: Audience) -> Frame:
    return Frame(f"{event.id} {event.change.content if isinstance(event.change, Posted) else ''};".encode())


async def test_a_joined_write_is_bounded(resumable: bool) -> None:
    async with opened(with_content) as (broker, log):
        crowd = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(2, 300)]
        long = Posted(PostId(1), "x" * (delivery_queue.MOST_JOINED_CHARACTERS // 2))
        for _ in range(6):
            log.say(TEA, ANN, long)
        await wait_all_tasks_blocked()
        assert all(numbers(ear) == list(range(1, 7)) for ear in crowd)
        assert {len(ear.writes) for ear in crowd} == {3}


@pytest.fixture(params=[False, True], ids=["plain", "resumable"])
def resumable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
