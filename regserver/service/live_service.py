"""Live registrations: one job per user, watched by any number of observers.

    sign-in ──start()──► reserve the name ──► LiveJob, a task of the nursery ──► history ──► observers

A job never waits for its observers. A finished job stays readable for the replay time, its token in memory alone; then
it is dropped.
"""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from regserver.domain.account import name_key
from regserver.domain.estimate import Estimator
from regserver.domain.live_progress import RegistrationId
from regserver.domain.outcome import SourceUnavailable, UsernameTaken
from regserver.ports.clock import Clock
from regserver.ports.source import Subject
from regserver.ports.store import StoreFault
from regserver.service.live_account import LiveAccounts, LiveParts
from regserver.service.live_history import LiveHistory
from regserver.service.live_job import Applicant, LiveJob
from regserver.service.live_person import newcomer
from regserver.service.live_runner import LiveRunner
from regserver.service.sign_up_gate import Refused

STOP_SECONDS = 1.0
LEARN_SECONDS = 60.0
"""How often past runs of other nodes are read."""

log = logging.getLogger("regserver.live")


class LiveService:
    """Starts jobs and finds them by id. nursery: of the jobs. runner: None without a source."""

    def __init__(
        self, nursery: trio.Nursery, runner: LiveRunner | None, accounts: LiveAccounts, parts: LiveParts
    ) -> None:
        self._nursery = nursery
        self._runner = runner
        self._accounts = accounts
        self._parts = parts
        self._stopping = False
        self._jobs: dict[RegistrationId, LiveJob] = {}
        self._running: dict[Subject, LiveJob] = {}

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    def running_jobs(self) -> tuple[LiveJob, ...]:
        """Those that run now, the oldest first."""
        return tuple(self._running.values())

    def job(self, registration: str) -> LiveJob | None:
        """The job of this node with this id, running or finished within the replay time."""
        return self._jobs.get(RegistrationId(registration))

    async def find(self, registration: str) -> LiveHistory | None:
        """What is shown of a registration of any node. Raises StoreFault."""
        return self.job(registration) or await self._parts.board.find(RegistrationId(registration))

    def admits(self, username: str) -> bool:
        """Whether this node could accept the user. Called before the source is asked; `start` counts over all nodes."""
        if not self._stopping and len(self._running) < self._parts.policy.max_running:
            return True
        key = name_key(username)
        return any(name_key(job.applicant.username) == key for job in self._running.values())

    async def start(
        self, applicant: Applicant
    ) -> RegistrationId | UsernameTaken | SourceUnavailable | Refused:
        """The registration of a user whose credentials the source has accepted: a running one, or a new one.

        UsernameTaken also when the person has an account by now.
        """
        if (running := await self._found(applicant.subject)) is not None:
            return running
        if (running := await self._parts.board.running(applicant.subject)) is not None:
            return running
        if refusal := await self._parts.gate.refusal(newcomer(applicant)):
            return refusal
        # Another sign-in may have begun one meanwhile.
        if (running := await self._found(applicant.subject)) is not None:
            return running
        if self._runner is None or not self.admits(applicant.username):
            return SourceUnavailable()
        identity = uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4)
        job = LiveJob.of(RegistrationId(f"u-{identity}"), applicant, self._parts.clock)
        return await self._begin(self._runner, job)

    async def _found(self, subject: Subject) -> RegistrationId | None:
        """The person's running registration. Awaits nothing where there is none, so that the caller can begin one."""
        while (running := self._running.get(subject)) is not None:
            await running.begun.wait()
            if running.progress.state == "failed":
                await running.gone.wait()  # until its name is free; then this is the next attempt
            elif not running.gone.is_set():
                return running.id
        return None

    async def _begin(
        self, runner: LiveRunner, job: LiveJob
    ) -> RegistrationId | UsernameTaken | SourceUnavailable:
        # Registered before the first await: of simultaneous sign-ins one starts the job and the others find it.
        self._running[job.subject] = job
        self._parts.board.expect_nowait(job)
        begun = False
        try:
            if (refused := await self._accounts.reserve(job)) is not None:
                return refused
            if self._stopping:  # `stop` was called during the reservation
                return SourceUnavailable()
            self._jobs[job.id] = job
            self._nursery.start_soon(self._run, runner, job)
            begun = True
            return job.id
        finally:
            if not begun:
                self._leave(job)
            job.begun.set()

    def _leave(self, job: LiveJob) -> None:
        del self._running[job.subject]
        self._parts.board.forget_nowait(job)
        job.gone.set()

    async def _run(self, runner: LiveRunner, job: LiveJob) -> None:
        try:
            await runner.run(job)
        finally:
            self._leave(job)
            self._parts.on_end(job.progress.state)
        await self._parts.clock.sleep(self._parts.policy.replay.seconds)
        del self._jobs[job.id]

    def refuse_nowait(self) -> None:
        """Refuses new jobs from now on."""
        self._stopping = True
        self._parts.board.stop()

    async def stop(self) -> None:
        """Ends all running jobs with FAILURE and refuses new ones. Returns after STOP_SECONDS at the latest."""
        self.refuse_nowait()
        for job in list(self._running.values()):
            job.scope.cancel()
        with trio.move_on_after(STOP_SECONDS):
            for job in list(self._running.values()):
                await job.gone.wait()


async def run_learning(accounts: LiveAccounts, estimator: Estimator, clock: Clock) -> None:
    """Reads the past runs of all nodes now and then, until cancelled."""
    while True:
        await clock.sleep(LEARN_SECONDS)
        try:
            estimator.become(await accounts.past_runs())
        except StoreFault as fault:
            log.warning("past registrations of other nodes were not read: %s", fault)


@asynccontextmanager
async def open_live(parts: LiveParts) -> AsyncIterator[LiveService]:
    """The service with the nursery of its jobs; leaving ends running jobs. Raises StoreFault."""
    policy = parts.policy
    accounts = LiveAccounts(parts)
    estimator = Estimator(await accounts.past_runs())
    runner = None
    if parts.source is not None:
        runner = LiveRunner(parts.source, accounts, estimator, policy.deadline, parts.clock, parts.board)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(parts.board.run)
        if parts.board.is_shared:
            nursery.start_soon(run_learning, accounts, estimator, parts.clock)
        service = LiveService(nursery, runner, accounts, parts)
        try:
            yield service
        finally:
            service.refuse_nowait()
            nursery.cancel_scope.cancel()
