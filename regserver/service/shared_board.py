"""The board of a node among others: live registrations in the store, for as long as they can be read.

    reservation of the name ── the row, whose unique person lets one registration of each run on all nodes
    events ── written behind the job, all that wait in one unit ── NOTIFY ── the other nodes read on (LiveFollower)
    account, or failure ── in the same unit as the last event and the end of the row

A node whose signs of life have stopped loses its registrations to whoever sees it first (LiveKeeper). It cannot end them
otherwise afterwards: each of its units asks whether the row is still its own.
"""

import logging
from collections.abc import Sequence

import trio

from regserver.domain.account import AccountId
from regserver.domain.live_progress import ProgressEvent, RegistrationId
from regserver.ports.live_table import LiveEnd, LiveRow
from regserver.ports.source import Subject
from regserver.ports.store import StoreFault
from regserver.ports.transaction import Conflict, Transaction
from regserver.service.live_board import LiveBoard, LiveFull
from regserver.service.live_follower import LiveFollower
from regserver.service.live_history import LiveHistory, Shown
from regserver.service.live_job import LiveJob
from regserver.service.live_keeper import BoardParts, LiveKeeper
from regserver.service.live_seal import KeptJob, kept_event, row_id

log = logging.getLogger("regserver.live")

GAP_SECONDS = 0.02
"""Between two units of work: what comes meanwhile is written together."""
RETRY_SECONDS = 1.0
JOBS_AT_ONCE = 20
EVENTS_AT_ONCE = 200
"""Of one job in one unit."""


class SharedBoard(LiveBoard):
    """The registrations of all nodes on one store."""

    is_shared = True

    def __init__(self, parts: BoardParts) -> None:
        self._parts = parts
        self._waiting: dict[LiveJob, None] = {}
        self._news = trio.Event()
        self._keeper = LiveKeeper(parts)
        self.follower = LiveFollower(parts)

    # --- in the units of a job
    async def running(self, subject: Subject) -> RegistrationId | None:
        """Looks it up."""
        person = self._parts.seal.person(self._parts.source, subject)
        row = await self._parts.store.look_up(lambda transaction: transaction.live.of_person(person))
        return None if row is None or row.run == self._parts.run else self._address(row)

    async def claim(self, transaction: Transaction, job: LiveJob, username: str) -> RegistrationId | None:
        """Adds the row as the last thing of the unit, since that holds up the other nodes' claims."""
        parts, number = self._parts, row_id(job.id)
        person = parts.seal.person(parts.source, job.subject)
        other = await transaction.live.of_person(person)
        if other is not None and not self._keeper.is_left(other):
            return self._address(other)
        if other is not None:
            await self._keeper.give_up(transaction, other, frees=False)  # the name is this job's by now
        kept = KeptJob(job.id, job.subject, job.applicant.username, username, job.language)
        row = LiveRow(number, person, parts.run, 0, parts.seal.seal_job(number, kept))
        match await transaction.live.add(row, parts.most):
            case "taken":
                raise Conflict("a registration of the same person has begun on another node")
            case "full":
                raise LiveFull
        return None

    def _address(self, row: LiveRow) -> RegistrationId:
        kept = self._parts.seal.open_job(row.id, row.sealed)
        if kept is None:
            raise StoreFault("a live registration in the store is sealed with another key")
        return kept.id

    async def hold(self, transaction: Transaction, job: LiveJob) -> bool:
        """Locks the row."""
        return await transaction.live.hold(row_id(job.id), self._parts.run)

    async def end(
        self,
        transaction: Transaction,
        job: LiveJob,
        last: ProgressEvent | None = None,
        account: AccountId | None = None,
    ) -> bool:
        """Writes the events that wait, and the end."""
        events = job.history[job.kept :] + ([] if last is None else [Shown(last, None)])
        return await self._append(transaction, job, events, LiveEnd(self._parts.clock.now(), account))

    async def _append(
        self, transaction: Transaction, job: LiveJob, events: Sequence[Shown], end: LiveEnd | None = None
    ) -> bool:
        number, first = row_id(job.id), job.kept + 1
        sealed = [self._seal(number, place, shown) for place, shown in enumerate(events, first)]
        return await transaction.live.append((number, self._parts.run), first, sealed, end)

    def _seal(self, job: bytes, number: int, shown: Shown) -> bytes:
        clock, left = self._parts.clock, None
        if shown.ends_at is not None:
            left = (shown.ends_at - clock.elapsed()) * 1000
        return self._parts.seal.seal_event(job, number, kept_event(shown.event, clock.now(), left))

    # --- behind the job
    def expect_nowait(self, job: LiveJob) -> None:
        """Its row will be one that runs here."""
        self._keeper.own.add(row_id(job.id))

    def grown_nowait(self, job: LiveJob) -> None:
        """It is written soon; the last event is, in the unit that ends it."""
        if not job.over:
            self._waiting[job] = None
            self._news.set()

    def forget_nowait(self, job: LiveJob) -> None:
        """If its end is not written, the row is one that nobody runs."""
        self._keeper.own.discard(row_id(job.id))
        self._waiting.pop(job, None)

    async def _run_writing(self) -> None:
        while True:
            await self._news.wait()
            self._news = trio.Event()
            while self._waiting:
                jobs = list(self._waiting)[:JOBS_AT_ONCE]
                try:
                    await self._write(jobs)
                except StoreFault as fault:
                    log.warning("other nodes do not see live registrations of this one: %s", fault)
                    await self._parts.clock.sleep(RETRY_SECONDS)
                await self._parts.clock.sleep(GAP_SECONDS)

    async def _write(self, jobs: Sequence[LiveJob]) -> None:
        pieces = [(job, job.kept, _unkept(job)) for job in jobs]

        async def work(transaction: Transaction) -> list[bool]:
            return [not piece or await self._append(transaction, job, piece) for job, _, piece in pieces]

        for (job, kept, piece), is_ours in zip(pieces, await self._parts.store.write(work), strict=True):
            job.kept = max(job.kept, kept + len(piece))
            if not is_ours:
                job.is_lost = True
                job.scope.cancel()
            if not is_ours or not _unkept(job):
                self._waiting.pop(job, None)

    # --- of other nodes
    async def find(self, registration: RegistrationId) -> LiveHistory | None:
        """Reads it from the store, and goes on reading while somebody watches."""
        return await self.follower.find(registration)

    async def run(self) -> None:
        """Writes, reads and looks after the rows."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run_writing)
            nursery.start_soon(self.follower.run)
            nursery.start_soon(self._keeper.run)

    def stop(self) -> None:
        """Streams end."""
        self.follower.cut()


def _unkept(job: LiveJob) -> list[Shown]:
    """The next events to be written, without the last of all."""
    events = job.history[job.kept : job.kept + EVENTS_AT_ONCE]
    return events[:-1] if events and events[-1].event.is_last else events
