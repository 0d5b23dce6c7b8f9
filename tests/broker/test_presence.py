"""Presence and typing: who is told of whom, that a reconnect is not seen, and that a crowd costs a bounded number of frames."""

from collections.abc import Iterator

import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

from regserver.broker.local import GRACE, LocalBroker
from regserver.domain.account import AccountId
from regserver.domain.presence import MOST_TOLD, MOST_TYPING, TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, Invited, Left
from tests.broker.test_local import ANN, BOB, CID, HALL, TEA, Ear, attach, opened


def present(
    broker: LocalBroker, account: AccountId, *rooms: RoomId, as_of: int = 0, resumable: bool = False
) -> Ear:
    return attach(broker, Ear(account, presence=True, resumable=resumable), rooms, as_of)


def new(ear: Ear) -> list[str]:
    """What it has heard since this was asked last."""
    heard = sorted(ear.heard)
    ear.heard.clear()
    return heard


async def told() -> None:
    """All that has happened is told: two pauses."""
    await trio.sleep(1)


async def test_members_hear_who_comes_and_goes(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, _):
        ann = present(broker, ANN, TEA, HALL)
        await told()
        bob, cid = present(broker, BOB, TEA, resumable=True), present(broker, CID, HALL)
        await told()
        assert new(ann) == ["2+1", "3+2"]
        assert (new(bob), new(cid)) == (["1+1"], ["1+2"])
        broker.detach_nowait(bob)
        await told()
        assert new(ann) == []
        await trio.sleep(GRACE.seconds)
        assert (new(ann), new(cid)) == (["2-1"], [])


async def test_a_reconnect_and_a_second_device_are_not_seen(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, _):
        ann, bob = present(broker, ANN, TEA), present(broker, BOB, TEA)
        await told()
        new(ann)
        for _ in range(5):
            second = present(broker, BOB, TEA)
            broker.detach_nowait(bob)
            await told()
            broker.detach_nowait(second)
            await trio.sleep(GRACE.seconds / 2)
            bob = present(broker, BOB, TEA)
            await told()
        await trio.sleep(2 * GRACE.seconds)
        assert new(ann) == []
        assert new(bob) == ["1+1"]  # each socket is told anew


async def test_whoever_does_not_ask_is_not_shown_and_hears_nothing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened() as (broker, _):
        ann, bob = present(broker, ANN, TEA), attach(broker, Ear(BOB), [TEA])
        broker.typing_nowait(TypingNoticed(ANN, TEA))
        await told()
        assert (ann.heard, bob.heard, ann.writes, bob.writes) == ([], [], [], [])
        broker.typing_nowait(TypingNoticed(BOB, TEA))  # by what is no socket, but a member
        await told()
        assert (new(ann), new(bob)) == (["2 types in 1"], [])


async def test_presence_follows_the_memberships(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, log):
        ann, bob, cid = present(broker, ANN), present(broker, BOB), present(broker, CID, HALL)
        log.say(TEA, ANN, Created((BOB,)))  # 1
        await told()
        assert (new(ann), new(bob)) == (["2+1"], ["1 newcomer", "1+1"])
        log.say(TEA, ANN, Invited((CID,)))  # 2
        await told()
        assert new(cid) == ["1+1", "2 newcomer", "2+1"]
        assert (new(ann), new(bob)) == (["3+1"], ["2 member", "3+1"])
        log.say(TEA, BOB, Left(deleted=False))  # 3: says all
        await told()
        assert (new(ann), new(bob), new(cid)) == (["3 member"], [], ["3 member"])
        broker.detach_nowait(bob)
        broker.detach_nowait(cid)
        await trio.sleep(2 * GRACE.seconds)
        assert new(ann) == ["3-1"]


async def test_a_snapshot_is_brought_up_to_date(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, log):
        ann = present(broker, ANN, TEA, HALL)
        log.say(TEA, BOB, Left(deleted=False))  # 1
        log.say(HALL, ANN, Invited((BOB,)))  # 2
        bob = present(broker, BOB, TEA)
        await told()
        assert new(bob) == ["1+2", "2 newcomer"]
        assert new(ann) == ["1 member", "2+2"]


async def test_what_is_undone_before_it_is_told_is_not_told(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, log):
        ann, bob = present(broker, ANN, TEA), present(broker, BOB)
        await told()
        new(ann)
        broker.typing_nowait(TypingNoticed(ANN, TEA))  # nobody else hears it; but a pause follows
        await wait_all_tasks_blocked()
        log.say(TEA, ANN, Invited((BOB,)))
        log.say(TEA, BOB, Left(deleted=False))
        await told()
        assert new(ann) == ["2 member"]
        assert new(bob) == ["1 newcomer"]


def crowd(broker: LocalBroker, count: int) -> Iterator[Ear]:
    return (present(broker, AccountId(number), TEA) for number in range(1, count + 1))


async def test_of_a_crowd_the_first_are_told_and_each_place_is_filled_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened() as (broker, _):
        ears = list(crowd(broker, 3 * MOST_TOLD))
        await told()
        assert all(len(new(ear)) == MOST_TOLD - (number < MOST_TOLD) for number, ear in enumerate(ears))
        for ear in ears[:10]:
            broker.detach_nowait(ear)
        await trio.sleep(2 * GRACE.seconds)
        gone = [f"{number}-1" for number in range(1, 11)]
        came = [f"{number}+1" for number in range(MOST_TOLD + 1, MOST_TOLD + 11)]
        assert new(ears[-1]) == sorted(gone + came)
        assert new(ears[MOST_TOLD]) == sorted(gone + came[1:])  # not of oneself


async def test_a_thousand_who_return_at_once_cost_each_a_few_writes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Also where they are in many rooms: what a socket is told of them leaves in pieces."""
    rooms = [RoomId(number) for number in range(1, 101)]
    async with opened() as (broker, _):
        ears = list(crowd(broker, 1000))
        await told()
        assert max(len(ear.writes) for ear in ears) <= 2
        for number in range(2001, 2001 + MOST_TOLD):
            present(broker, AccountId(number), *rooms[1:])
        await told()
        late = present(broker, AccountId(3000), *rooms[1:])
        await trio.sleep(20)
        assert len(late.heard) == MOST_TOLD * 99
        assert max(late.writes) < 20 * 1024


async def test_of_those_who_type_at_once_a_few_are_told(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, _):
        ann = present(broker, ANN, TEA)
        await told()
        for _ in range(3):
            for number in range(1, 50):
                broker.typing_nowait(TypingNoticed(AccountId(number), TEA))
        await told()
        assert len(new(ann)) == MOST_TYPING - 1  # not of oneself
        for number in range(1000):
            broker.typing_nowait(TypingNoticed(BOB, RoomId(number + 100)))
        await told()
        assert new(ann) == []


async def test_after_a_log_has_gone_back_rooms_are_those_of_the_new_sockets(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with opened() as (broker, log):
        ann, bob = present(broker, ANN, TEA, HALL), present(broker, BOB, TEA, HALL)
        broker.come_elsewhere_nowait(CID, [HALL], log.end)
        await told()
        broker.begin_anew_nowait(log.end)
        for ear in (ann, bob):
            broker.detach_nowait(ear)
        ann, bob = (
            present(broker, ANN, TEA, HALL),
            present(broker, BOB, TEA),
        )  # who had come into HALL by what is lost
        await told()
        assert (new(ann), new(bob)) == (["2+1"], ["1+1"])
        broker.detach_nowait(bob)
        await trio.sleep(2 * GRACE.seconds)
        assert new(ann) == ["2-1"]
