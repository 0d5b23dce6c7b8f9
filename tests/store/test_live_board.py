"""Live registrations on the board of several nodes: who may end one, what others see, and what is left of it."""

from contextlib import suppress
from typing import NamedTuple

import trio

from regserver.domain.account import Profile, name_key
from regserver.domain.instant import MINUTE, SECOND, Duration
from regserver.domain.live_progress import LiveMessage, ProgressEvent, RegistrationId
from regserver.domain.source_line import NameLine, StepLine
from regserver.ports.source import Subject
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.live_board import LiveFull
from regserver.service.live_history import LiveHistory
from regserver.service.live_job import Applicant, LiveJob
from regserver.service.live_keeper import BoardParts, LiveKeeper
from regserver.service.live_seal import LiveSeal, row_id
from regserver.service.node_sight import DEAD_LEASES
from regserver.service.shared_board import SharedBoard
from tests.fake import ManualClock, SeededRandomness
from tests.guess import HOME

LEASE = Duration(10 * SECOND)
REPLAY = Duration(MINUTE)
NUMBER = "u-00000000-0000-4000-8000-00000000000"


class MovedClock(ManualClock):
    """Its elapsed time moves with it, from anywhere."""

    def __init__(self, ahead: int = 0) -> None:
        super().__init__()
        self.advance(ahead)

    def elapsed(self) -> float:
        return self.now() / 1000


class Node(NamedTuple):
    parts: BoardParts
    board: SharedBoard
    keeper: LiveKeeper

    async def beat(self) -> None:
        run, now = self.parts.run, self.parts.clock.now()
        await self.parts.store.write(lambda transaction: transaction.nodes.beat(run.decode(), run, now))

    async def claim(self, job: LiveJob) -> RegistrationId | None:
        self.board.expect_nowait(job)
        return await self.parts.store.write(
            lambda transaction: self.board.claim(transaction, job, job.applicant.username)
        )

    async def hold(self, job: LiveJob) -> bool:
        return await self.parts.store.write(lambda transaction: self.board.hold(transaction, job))

    async def end(self, job: LiveJob) -> bool:
        return await self.parts.store.write(lambda transaction: self.board.end(transaction, job))


async def node(store: Store, name: str, clock: MovedClock, most: int = 9) -> Node:
    parts = BoardParts(
        store=store,
        clock=clock,
        seal=LiveSeal(bytes(32), bytes(32), SeededRandomness(len(name))),
        run=name.encode(),
        lease=LEASE,
        replay=REPLAY,
        most=most,
        source="http",
        keeps_names=False,
    )
    await store.write(lambda transaction: transaction.nodes.take(name, name.encode(), None, clock.now()))
    return Node(parts, SharedBoard(parts), LiveKeeper(parts))


def job_of(node: Node, number: int, subject: str = "7") -> LiveJob:
    applicant = Applicant("ada", Subject(subject), "hash", HOME)
    return LiveJob.of(RegistrationId(f"{NUMBER}{number}"), applicant, node.parts.clock)


def show(job: LiveJob, message: str, left_ms: float | None = None) -> None:
    event = job.progress.take(StepLine(message, 1, 3))
    assert isinstance(event, ProgressEvent)
    job.show(event, left_ms)


async def write(node: Node, job: LiveJob) -> None:
    """As the board does behind the job."""
    node.board.grown_nowait(job)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.board.run)
        with trio.fail_after(10):
            while job.kept < len(job.history) and not job.is_lost:  # noqa: ASYNC110  (nothing tells)
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


async def seen(node: Node, job: LiveJob) -> LiveHistory:
    found = await node.board.find(job.id)
    assert found is not None
    return found


async def test_one_registration_of_a_person_runs(any_store: Store) -> None:
    one, two = await node(any_store, "one", MovedClock()), await node(any_store, "two", MovedClock())
    first, second, other = job_of(one, 1), job_of(two, 2), job_of(two, 3, "8")
    assert await one.claim(first) is None
    assert (await two.claim(second), await two.claim(other)) == (first.id, None)
    assert (await one.board.running(Subject("7")), await two.board.running(Subject("7"))) == (None, first.id)
    first.show(ProgressEvent(event_type="FAILURE", step=1, total_steps=-1, message=LiveMessage.BROKEN))
    assert await one.end(first)
    assert await two.claim(second) is None


async def test_so_many_run_on_all_nodes_and_no_more(any_store: Store) -> None:
    """However many begin at once."""
    nodes = [await node(any_store, name, MovedClock(), most=3) for name in ("one", "two")]
    jobs = [(nodes[number % 2], job_of(nodes[number % 2], number, str(number))) for number in range(8)]
    begun, full = list[tuple[Node, LiveJob]](), list[tuple[Node, LiveJob]]()

    async def begin(at: Node, job: LiveJob) -> None:
        try:
            assert await at.claim(job) is None
            begun.append((at, job))
        except LiveFull:
            full.append((at, job))

    async with trio.open_nursery() as nursery:
        for each in jobs:
            nursery.start_soon(begin, *each)
    assert (len(begun), len(full)) == (3, 5)
    (first, job), (at, other) = begun[0], full[0]
    assert await first.claim(job_of(first, 9, job.subject)) == job.id  # joins
    job.show(ProgressEvent(event_type="FAILURE", step=1, total_steps=-1, message=LiveMessage.BROKEN))
    assert await first.end(job)
    assert await at.claim(other) is None


async def test_another_node_shows_it_and_what_is_left_of_its_time(any_store: Store) -> None:
    one, two = await node(any_store, "one", MovedClock()), await node(any_store, "two", MovedClock())
    job = job_of(one, 1)
    await one.claim(job)
    show(job, "Привет", left_ms=30_000)
    named = job.progress.take(NameLine(Profile(first_name="Ada", middle_name=None, last_name="L")))
    assert isinstance(named, ProgressEvent)
    job.show(named)
    await write(one, job)
    there = await seen(two, job)
    assert [shown.event for shown in there.history] == [shown.event for shown in job.history]
    assert there.eta_seconds(there.history[0]) == 30
    assert there.eta_seconds(there.history[1]) is None
    for each in (one, two):
        clock = each.parts.clock
        assert isinstance(clock, MovedClock)
        clock.advance(10_000)
    assert there.eta_seconds(there.history[0]) == 20
    late = await node(any_store, "three", MovedClock(10_000))
    assert (await seen(late, job)).eta_seconds(there.history[0]) == 20
    show(job, "Two")
    await write(one, job)
    await two.board.follower.read_on()
    assert [shown.event.message for shown in there.history] == ["Привет", LiveMessage.NAMED, "Two"]


async def test_nothing_in_the_store_tells_who_it_is(any_store: Store) -> None:
    one = await node(any_store, "one", MovedClock())
    job = job_of(one, 1, "subject-7")
    await one.claim(job)
    show(job, "secret words")
    await write(one, job)

    async def read(transaction: Transaction) -> bytes:
        (row,) = await transaction.live.running()
        return b"".join((row.id, row.person, row.sealed, *await transaction.live.events(row.id, 0, 9)))

    kept = await any_store.read(read)
    assert not any(word in kept for word in (b"secret", b"ada", b"subject", NUMBER.encode()))


async def test_a_node_without_a_sign_of_life_loses_its_own(any_store: Store) -> None:
    """Whatever it does afterwards, there is one end."""
    clock = MovedClock()
    one, two = await node(any_store, "one", MovedClock()), await node(any_store, "two", clock)
    job = job_of(one, 1)
    await one.claim(job)
    show(job, "One")
    await write(one, job)
    now = clock.now()
    await any_store.write(lambda transaction: transaction.names.claim(name_key("ada"), "live:7", None, now))
    for _ in range(5):  # it lives
        await two.keeper.look()
        clock.advance(LEASE)
        await one.beat()
    await two.keeper.look()
    assert await one.hold(job)
    clock.advance(DEAD_LEASES * LEASE - 1000)
    await two.keeper.look()
    assert await one.hold(job)
    clock.advance(1000)
    await two.keeper.look()
    there = await seen(two, job)
    assert [shown.event.message for shown in there.history] == ["One", LiveMessage.NODE_LOST]
    assert await any_store.read(lambda transaction: transaction.names.holder(name_key("ada"), now)) is None
    assert (await one.hold(job), await one.end(job)) == (False, False)
    show(job, "Two")
    with suppress(trio.Cancelled):
        await write(one, job)
    assert (job.is_lost, job.scope.cancel_called) == (True, True)
    assert (await seen(two, job)).history == there.history
    again = job_of(two, 2)
    assert await two.claim(again) is None


async def test_one_that_nobody_runs_any_more_gives_way(any_store: Store) -> None:
    """Its sign-in was cancelled while it was written."""
    one = await node(any_store, "one", MovedClock())
    left, new = job_of(one, 1), job_of(one, 2)
    await one.claim(left)
    one.board.forget_nowait(left)
    assert await one.claim(new) is None
    assert (await seen(one, left)).history[-1].event.message == LiveMessage.NODE_LOST
    assert not (await seen(one, new)).over


async def test_it_goes_with_its_replay_time(any_store: Store) -> None:
    clock = MovedClock()
    one, two = await node(any_store, "one", MovedClock()), await node(any_store, "two", clock)
    job = job_of(one, 1)
    await one.claim(job)
    job.show(ProgressEvent(event_type="FAILURE", step=1, total_steps=-1, message="No"))
    await one.end(job)
    clock.advance(REPLAY - 1)
    assert (await seen(two, job)).over
    clock.advance(1)
    assert await two.board.find(job.id) is None
    clock.advance(MINUTE)
    await two.keeper.look()
    number = row_id(job.id)
    assert await any_store.read(lambda transaction: transaction.live.find(number)) is None
    assert await any_store.read(lambda transaction: transaction.live.events(number, 0, 9)) == ()
