"""The delivery of events: recipients, order and beginning; with real workers and sockets that record frames."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

from regserver.broker.delivery_queue import AT_ONCE
from regserver.broker.local import RECENT_EVENTS, LocalBroker, open_local_broker
from regserver.broker.making import Making
from regserver.broker.subscription import FrameMaker
from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import BadToken, Refusal, UserIsDeleted
from regserver.domain.presence import MarkMoved, PresenceChanged, Sign, TypingNoticed
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import Audience, Change, Created, EventId, Invited, Left, Posted, RoomEvent
from regserver.domain.secret import hash_secret
from regserver.endpoint import Frame, Receiver
from regserver.ports.clock import Clock
from regserver.ports.subscriber import FrameKind, Subscriber
from regserver.serving import broadcast_nowait

ANN, BOB, CID = AccountId(1), AccountId(2), AccountId(3)
TEA, HALL = RoomId(1), RoomId(2)
POST = Posted(PostId(1), "x")


class Ear(Subscriber):
    """Remembers what it was sent."""

    def __init__(
        self,
        account: AccountId,
        *,
        resumable: bool = False,
        echo: bool = False,
        edits: bool = False,
        presence: bool = False,
        seen: bool = False,
        token: str = "",
        expires_at: int = 1 << 50,
    ) -> None:
        self.account = account
        self.echo = echo
        self.edits = edits
        self.presence = presence
        self.seen = seen
        self.kind: FrameKind = "resumable" if resumable else "plain"
        self.token = hash_secret(token or str(account))
        self.expires_at = Instant(expires_at)
        self.heard: list[str] = []
        self.writes: list[int] = []
        self.ended: list[Refusal | None] = []
        self.cuts = 0

    @property
    def receiver(self) -> Receiver:
        return self

    def direct(self, frame: Frame) -> int:
        self.writes.append(len(frame))
        self.heard.extend(frame.decode().split(";")[:-1])  # several may be joined
        return len(frame)

    def send_nowait(self, frame: Frame) -> bool:
        return self.direct(frame) > 0

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        raise NotImplementedError

    def end_nowait(self, reason: Refusal | None) -> None:
        self.ended.append(reason)

    def cut_nowait(self) -> None:
        self.cuts += 1


class TrioClock(Clock):
    """Goes with Trio's own, so that a test can let it jump."""

    def now(self) -> Instant:
        return Instant(int(trio.current_time() * 1000))


class Log:
    """Numbers events as the store does."""

    def __init__(self, broker: LocalBroker) -> None:
        self._broker = broker
        self.end = EventId(0)

    def event(self, room: RoomId, actor: AccountId, change: Change) -> RoomEvent:
        self.end = EventId(self.end + 1)
        return RoomEvent(id=self.end, room=room, actor=actor, at=Instant(0), change=change)

    def say(self, room: RoomId, actor: AccountId, change: Change = POST) -> None:
        self._broker.publish_nowait([self.event(room, actor, change)])


def plain_frame(event: RoomEvent, audience: Audience) -> Frame:
    return Frame(f"{event.id} {audience};".encode())


def resumable_frame(event: RoomEvent, audience: Audience) -> Frame:
    return Frame(f"{event.id} {audience} cursor;".encode())


def sign_text(sign: Sign) -> Frame:
    match sign:
        case PresenceChanged(account=account, room=room, online=online):
            return Frame(f"{account}{'+' if online else '-'}{room};".encode())
        case TypingNoticed(account=account, room=room):
            return Frame(f"{account} types in {room};".encode())
        case MarkMoved(room=room, post=post):
            return Frame(f"read {room} to {post};".encode())


@asynccontextmanager
async def opened(frame: FrameMaker | None = None) -> AsyncIterator[tuple[LocalBroker, Log]]:
    """frame: makes those of all sockets."""
    frames: dict[FrameKind, FrameMaker] = {
        "plain": frame or plain_frame,
        "resumable": frame or resumable_frame,
    }
    making = Making(
        frames, {"plain": sign_text, "resumable": sign_text}, broadcast_nowait, lambda frames, receivers: None
    )
    async with open_local_broker(making, TrioClock()) as broker:
        yield broker, Log(broker)


def attach(broker: LocalBroker, ear: Ear, rooms: Sequence[RoomId] = (), as_of: int = 0) -> Ear:
    broker.enter_nowait(ear)
    assert broker.attach_nowait(ear, rooms, EventId(as_of))
    return ear


@pytest.fixture(params=[False, True], ids=["plain", "resumable"])
def resumable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def numbers(ear: Ear) -> list[int]:
    return [int(text.split()[0]) for text in ear.heard]


async def test_who_hears_what(resumable: bool) -> None:
    async with opened() as (broker, log):
        ann, ann_too, bob, cid = (
            attach(broker, Ear(account, resumable=resumable)) for account in (ANN, ANN, BOB, CID)
        )
        log.say(TEA, ANN, Created((BOB,)))  # 1
        log.say(TEA, ANN)  # 2
        log.say(TEA, BOB, Invited((CID,)))  # 3
        log.say(TEA, CID)  # 4
        log.say(TEA, BOB, Left(deleted=False))  # 5
        log.say(TEA, ANN)  # 6
        await wait_all_tasks_blocked()
        assert numbers(ann) == numbers(ann_too) == [3, 4, 5]
        assert numbers(bob) == [1, 2, 4]
        assert numbers(cid) == [3, 5, 6]
        assert "newcomer" in cid.heard[0]
        assert "member" in ann.heard[0]
        assert ("cursor" in bob.heard[0]) is resumable


async def test_one_frame_serves_everybody_of_an_audience() -> None:
    made: list[tuple[int, Audience]] = []

    def frame(event: RoomEvent, audience: Audience) -> Frame:
        made.append((event.id, audience))
        return plain_frame(event, audience)

    making = Making(
        {"plain": frame, "resumable": frame}, {}, broadcast_nowait, lambda frames, receivers: None
    )
    async with open_local_broker(making, TrioClock()) as broker:
        log = Log(broker)
        for account in range(2, 30):
            attach(broker, Ear(AccountId(account)), [TEA])
        log.say(TEA, ANN)
        log.say(TEA, ANN, Invited((AccountId(50),)))
        await wait_all_tasks_blocked()
    assert made == [(1, "member"), (2, "member")]


async def test_an_attached_socket_hears_what_came_after_its_snapshot_once(resumable: bool) -> None:
    """Whether an event had been delivered, was still queued, or was not even published by then."""
    async with opened() as (broker, log):
        early = attach(broker, Ear(BOB, resumable=resumable), [TEA])
        for _ in range(3):
            log.say(TEA, ANN)  # 1 to 3
        await wait_all_tasks_blocked()
        for _ in range(3):
            log.say(TEA, ANN)  # 4 to 6, still queued
        late = attach(broker, Ear(BOB, resumable=resumable), [TEA], as_of=2)
        log.say(TEA, ANN)  # 7
        await wait_all_tasks_blocked()
        assert numbers(early) == [1, 2, 3, 4, 5, 6, 7]
        assert numbers(late) == [3, 4, 5, 6, 7]


async def test_a_snapshot_may_be_ahead_of_what_was_published(resumable: bool) -> None:
    async with opened() as (broker, log):
        committed = [log.event(TEA, ANN, POST) for _ in range(3)]
        bob = attach(broker, Ear(BOB, resumable=resumable), [TEA], as_of=2)
        broker.publish_nowait(committed)
        await wait_all_tasks_blocked()
        assert numbers(bob) == [3]


async def test_memberships_changed_between_snapshot_and_attaching(resumable: bool) -> None:
    async with opened() as (broker, log):
        log.say(TEA, BOB, Left(deleted=False))  # 1
        log.say(TEA, ANN)  # 2: not for Bob any more
        log.say(HALL, ANN, Invited((BOB,)))  # 3
        log.say(HALL, ANN)  # 4
        bob = attach(broker, Ear(BOB, resumable=resumable), [TEA], as_of=0)
        log.say(TEA, ANN)  # 5
        log.say(HALL, ANN)  # 6
        await wait_all_tasks_blocked()
        assert numbers(bob) == [3, 4, 6]


async def test_a_snapshot_too_far_back_is_sent_back_to_the_log() -> None:
    async with opened() as (broker, log):
        for _ in range(RECENT_EVENTS + 5):
            log.say(TEA, ANN)
        ear = Ear(BOB)
        broker.enter_nowait(ear)
        assert not broker.attach_nowait(ear, [TEA], EventId(4))
        assert broker.attach_nowait(ear, [TEA], EventId(5))
        assert numbers(ear) == list(range(6, RECENT_EVENTS + 6))


async def test_rooms_keep_their_order_in_slices(resumable: bool) -> None:
    """A big room yields on its way; what is published meanwhile waits its turn."""
    async with opened() as (broker, log):
        crowd = [attach(broker, Ear(AccountId(n), resumable=resumable), [TEA]) for n in range(2, 1000)]
        for _ in range(5):
            log.say(TEA, ANN)
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        assert all(numbers(ear) == [1, 2, 3, 4, 5] for ear in crowd)


async def test_a_resumable_socket_hears_all_rooms_in_the_order_of_the_log() -> None:
    """Else a cursor of the fast room would stand for events of the slow one that were not sent."""
    async with opened() as (broker, log):
        for n in range(10, 2000):
            attach(broker, Ear(AccountId(n), resumable=True), [TEA])
        bob = attach(broker, Ear(BOB, resumable=True), [TEA, HALL])
        plain = attach(broker, Ear(BOB), [TEA, HALL])
        for _ in range(20):
            log.say(TEA, ANN)
            log.say(HALL, ANN)
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        assert numbers(bob) == list(range(1, 41))
        assert sorted(numbers(plain)) == list(range(1, 41))


async def test_a_detached_socket_hears_nothing(resumable: bool) -> None:
    async with opened() as (broker, log):
        bob = attach(broker, Ear(BOB, resumable=resumable), [TEA])
        log.say(TEA, ANN)
        await wait_all_tasks_blocked()
        broker.detach_nowait(bob)
        log.say(TEA, ANN)
        log.say(HALL, ANN, Invited((BOB,)))
        await wait_all_tasks_blocked()
        assert numbers(bob) == [1]


async def test_endings_reach_those_who_entered_and_hear_nothing_yet() -> None:
    async with opened() as (broker, _):
        waiting, attached = Ear(BOB, token="one"), Ear(BOB, token="two")
        broker.enter_nowait(waiting)
        attach(broker, attached, [TEA])
        broker.end_tokens_nowait(ANN, {hash_secret("one")}, BadToken())
        broker.end_tokens_nowait(BOB, {hash_secret("one"), hash_secret("three")}, BadToken())
        assert (waiting.ended, attached.ended) == ([BadToken()], [])
        assert broker.tokens() == {hash_secret("one"): BOB, hash_secret("two"): BOB}
        broker.detach_nowait(waiting)
        broker.end_tokens_nowait(BOB, {hash_secret("one"), hash_secret("two")}, UserIsDeleted())
        assert (waiting.ended, attached.ended) == ([BadToken()], [UserIsDeleted()])


async def test_ending_an_account_waits_until_its_sockets_are_gone() -> None:
    async with opened() as (broker, _), trio.open_nursery() as nursery:
        ears = [attach(broker, Ear(BOB)) for _ in range(2)]
        done = trio.Event()

        async def end() -> None:
            await broker.end_account(BOB)
            done.set()

        nursery.start_soon(end)
        await wait_all_tasks_blocked()
        assert all(ear.ended == [None] for ear in ears)
        broker.detach_nowait(ears[0])
        await wait_all_tasks_blocked()
        assert not done.is_set()
        broker.detach_nowait(ears[1])
        await done.wait()


async def test_ending_an_account_does_not_wait_forever(autojump_clock: trio.testing.MockClock) -> None:
    async with opened() as (broker, _):
        ear = Ear(BOB)
        attach(broker, ear)
        with trio.fail_after(5):
            await broker.end_account(BOB)
        assert ear.ended == [None]


async def test_sockets_end_with_their_token(autojump_clock: trio.testing.MockClock) -> None:
    """Each at its time, in whatever order they came; what has ended is not waited for again."""
    async with opened() as (broker, _):
        now = int(trio.current_time() * 1000)
        late, early, gone, soon = (
            Ear(account, expires_at=now + 1000 * seconds)
            for account, seconds in ((ANN, 3 * 86_400), (BOB, 90), (BOB, 80), (CID, 60))
        )
        for ear in (late, early, gone):
            attach(broker, ear)
        await trio.sleep(1)
        attach(broker, soon)
        broker.detach_nowait(gone)
        await trio.sleep(58.9)
        assert not soon.ended
        await trio.sleep(0.2)
        assert soon.ended == [BadToken()]
        broker.detach_nowait(soon)
        await trio.sleep(29.8)
        assert not early.ended
        await trio.sleep(0.2)
        assert early.ended == [BadToken()]
        broker.detach_nowait(early)
        await trio.sleep(3 * 86_400 - 91)
        assert not late.ended
        await trio.sleep(1.1)
        assert set(late.ended) == {BadToken()}
        assert not gone.ended


# --- a log that has gone back
async def test_a_log_that_has_gone_back_closes_all_and_its_numbers_come_again() -> None:
    async with opened() as (broker, log):
        before = [attach(broker, Ear(BOB), [TEA]), attach(broker, Ear(BOB, resumable=True), [TEA])]
        waiting = Ear(CID)
        broker.enter_nowait(waiting)  # its rooms are read just now
        for _ in range(3):
            log.say(TEA, ANN)
        broker.begin_anew_nowait(EventId(1))
        log.end = EventId(1)
        assert [ear.cuts for ear in (*before, waiting)] == [1, 1, 1]
        assert not broker.attach_nowait(waiting, [TEA], EventId(0))  # older than what is in memory
        for ear in before:
            broker.detach_nowait(ear)
        ears = [attach(broker, Ear(BOB, resumable=each), [TEA], as_of=1) for each in (False, True)]
        log.say(TEA, ANN)
        await wait_all_tasks_blocked()
        assert [ear.heard for ear in ears] == [["2 member"], ["2 member cursor"]]


@pytest.mark.parametrize("has_begun", [False, True])
async def test_what_waits_is_not_sent_to_those_who_come_after_it_was_lost(has_begun: bool) -> None:
    async with opened() as (broker, log):
        crowd = [attach(broker, Ear(AccountId(number)), [TEA]) for number in range(10, 10 + 2 * AT_ONCE)]
        log.say(TEA, ANN)
        while has_begun and not crowd[0].heard:
            await trio.lowlevel.checkpoint()
        log.say(TEA, ANN)
        broker.begin_anew_nowait(EventId(0))
        log.end = EventId(0)
        late = attach(broker, Ear(BOB), [TEA])
        await wait_all_tasks_blocked()
        assert late.heard == []
        assert "2 member" not in crowd[0].heard
        log.say(TEA, ANN)
        await wait_all_tasks_blocked()
        assert late.heard == ["1 member"]
