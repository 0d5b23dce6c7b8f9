"""Live registrations: one job per user, watched by any number of observers.

A job is one task with a deadline. It reads the source's lines, turns them into events and appends those to its
history; nobody is ever waited for. At the end account, profile and token are written in one transaction, and only
then is the token shown. A finished job stays readable for the replay time, its token in memory alone; then the id is
forgotten.

    sign-in → start() → reserve the name → job: source → progress → history → observers
                                                └→ one transaction → AUTHENTICATION
"""

import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import trio

from regserver.domain.account import NameKey, NewAccount, Profile, name_key
from regserver.domain.estimate import REMEMBERED_RUNS, Estimator
from regserver.domain.instant import SECOND, Duration, after
from regserver.domain.live_progress import Complete, ProgressEvent, ProgressState, ProtocolBroken
from regserver.domain.outcome import EmailTaken, SourceUnavailable, UsernameTaken
from regserver.domain.source_line import RegistrationId, SourceLine
from regserver.group import leaves
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.source import Source, SourceFault, Subject
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.account_service import add_account
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_job import LiveJob

log = logging.getLogger("regserver.live")

RETRY_AFTER_SECONDS = 5
STOP_SECONDS = 1.0
LINES_PER_TURN = 64
"""A source that has much to say at once must not keep the others waiting."""
RESERVATION_MARGIN = Duration(30 * SECOND)

# What users read. The source words its own steps; these are ours.
REGISTERED = "Registration complete"
BROKEN = "Registration could not be completed. Please try again later."
TOO_SLOW = "Registration took too long. Please try again later."
STOPPING = "The server is restarting. Please sign in again in a moment."
NAME_LOST = "This user name was taken meanwhile."


class LivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """deadline: how long a job may take. replay: how long a finished one stays readable. max_running: admission bound.
    source: the name under which past runs are remembered.
    """

    deadline: Duration
    replay: Duration
    max_running: int
    source: str = "file"


class LiveService:
    """Opened by `open_live`, which owns the nursery that the jobs run in. on_end: told how each job ended."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        identity: IdentityService,
        source: Source | None,
        policy: LivePolicy,
        on_end: Callable[[ProgressState], None] = lambda state: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._identity = identity
        self._source = source
        self._policy = policy
        self._on_end = on_end
        self._estimator = Estimator()
        self._jobs: dict[RegistrationId, LiveJob] = {}
        self._running: dict[NameKey, LiveJob] = {}
        self._nursery: trio.Nursery | None = None

    @property
    def running(self) -> int:
        return len(self._running)

    def job(self, registration: str) -> LiveJob | None:
        """The job behind an id, running or still replayable."""
        return self._jobs.get(RegistrationId(registration))

    def admits(self, username: str) -> bool:
        """Whether `start` would have a place for this user, looked at before the source is put to work."""
        if name_key(username) in self._running:
            return True
        return self._nursery is not None and len(self._running) < self._policy.max_running

    async def start(
        self, username: str, subject: Subject, password_hash: str
    ) -> RegistrationId | UsernameTaken | SourceUnavailable:
        """The registration of a user whose credentials the source has accepted: the one that runs, or a new one."""
        key = name_key(username)
        while (running := self._running.get(key)) is not None:
            if running.subject != subject:  # names that we take for one are two to the source
                return UsernameTaken()
            await running.begun.wait()
            if running.progress.state == "failed":
                await running.gone.wait()  # it gives its name back: this is the next attempt
            elif not running.gone.is_set():
                return running.id
        if not self.admits(username):
            return SourceUnavailable(RETRY_AFTER_SECONDS)
        identity = uuid.UUID(bytes=self._randomness.bytes(16), version=4)
        return await self._begin(LiveJob(RegistrationId(f"u-{identity}"), username, subject, password_hash))

    async def _begin(self, job: LiveJob) -> RegistrationId | UsernameTaken | SourceUnavailable:
        # Entered before the first wait: of fifty concurrent sign-ins one makes the job and the others find it.
        self._running[job.key] = job
        nursery = None
        try:
            if not await self._reserve(job):
                return UsernameTaken()
            nursery = self._nursery
            if nursery is None:
                return SourceUnavailable(RETRY_AFTER_SECONDS)
            self._jobs[job.id] = job
            nursery.start_soon(self._run, job)
            return job.id
        finally:
            if nursery is None:
                self._leave(job)
            job.begun.set()

    async def _reserve(self, job: LiveJob) -> bool:
        async def work(transaction: Transaction) -> bool:
            now = self._clock.now()
            until = after(now, self._policy.deadline + RESERVATION_MARGIN)
            return await transaction.names.claim(job.key, _holder(job), until, now)

        return await self._store.write(work)

    def _leave(self, job: LiveJob) -> None:
        del self._running[job.key]
        job.gone.set()

    async def _run(self, job: LiveJob) -> None:
        """The life of a job. It runs beside all others, so nothing but a cancellation may escape it."""
        try:
            with job.scope, trio.move_on_after(self._policy.deadline.seconds) as late:
                await self._register(job)
            if late.cancelled_caught and not job.over:
                log.warning("registration failed: not done in %g s", self._policy.deadline.seconds)
                self._fail(job, TOO_SLOW)
        finally:
            # Here also when everything is cancelled at once: the observers' sockets may still be open.
            if not job.over:
                job.interrupted = True
                self._fail(job, STOPPING)
            if job.progress.state == "failed":
                await self._release(job)
            self._leave(job)
            self._on_end(job.progress.state)
        if self._nursery is not None:
            self._nursery.start_soon(self._forget, job)

    async def _register(self, job: LiveJob) -> None:
        """Reads the source to its end. Whatever goes wrong becomes one FAILURE, its detail goes to the log."""
        assert self._source is not None  # noqa: S101  (a job exists only when a source accepted somebody)
        try:
            async with self._source.profile(job.subject) as lines:
                async for line in lines:
                    await self._take(job, line)
                    if job.over:
                        return
                    if len(job.history) % LINES_PER_TURN == 0:
                        await trio.lowlevel.checkpoint()
                self._break(job, "the stream ended without done")
        except* (SourceFault, StoreFault) as group:
            self._break(job, "; ".join(map(str, leaves(group))))
        except* Exception:
            log.exception("registration failed")
            self._fail(job, BROKEN)

    async def _take(self, job: LiveJob, line: SourceLine) -> None:
        match job.progress.take(line):
            case ProtocolBroken(detail=detail):
                self._break(job, detail)
            case Complete(profile=profile):
                await self._finish(job, profile)
            case ProgressEvent() as event:
                self._show(job, event)

    async def _finish(self, job: LiveJob, profile: Profile) -> None:
        """Account, profile and token in one transaction: after a crash a user is registered whole or not at all."""
        run = job.run()

        async def work(transaction: Transaction) -> SignedIn | UsernameTaken | EmailTaken:
            new = NewAccount(
                username=job.username,
                origin="live",
                subject=job.subject,
                password_hash=job.password_hash,
                created_at=self._clock.now(),
            )
            account = await add_account(transaction, new, reserved_by=_holder(job))
            if isinstance(account, UsernameTaken | EmailTaken):
                return account
            await transaction.accounts.add_profile(account, profile)
            await transaction.runs.add(self._policy.source, run, new.created_at, REMEMBERED_RUNS)
            return await self._identity.issue(transaction, account)

        with trio.CancelScope(shield=True):  # once begun it ends, and who was registered is told
            signed_in = await self._store.write(work)
        if isinstance(signed_in, SignedIn):
            self._estimator.learn(run)
            self._show(job, job.progress.authenticate(signed_in.user_id, signed_in.token, REGISTERED))
        else:
            self._fail(job, NAME_LOST)

    def _break(self, job: LiveJob, detail: str) -> None:
        """The source did not keep its protocol."""
        if not job.over:
            log.warning("registration failed: %s", detail)
            self._fail(job, BROKEN)

    def _fail(self, job: LiveJob, message: str) -> None:
        self._show(job, job.progress.fail(message))

    def _show(self, job: LiveJob, event: ProgressEvent | None) -> None:
        if event is not None:
            left = self._estimator.left_ms(event.step, event.total_steps, job.elapsed_ms)
            job.show(event, left)

    async def _release(self, job: LiveJob) -> None:
        """Gives the name back; one short write, and without it the name stays reserved until that lapses."""
        with trio.CancelScope(shield=True):
            try:
                await self._store.write(lambda transaction: transaction.names.release(job.key, _holder(job)))
            except StoreFault as fault:
                log.warning("a reservation was left to lapse: %s", fault)

    async def _forget(self, job: LiveJob) -> None:
        await trio.sleep(self._policy.replay.seconds)
        self._jobs.pop(job.id, None)

    async def load(self) -> None:
        """Reads what past runs have taught."""
        runs = await self._store.read(
            lambda transaction: transaction.runs.newest(self._policy.source, REMEMBERED_RUNS)
        )
        self._estimator = Estimator(runs)

    async def stop(self) -> None:
        """Ends all running jobs with FAILURE; no new ones are taken. Bounded by STOP_SECONDS."""
        self._nursery = None
        for job in list(self._running.values()):
            job.scope.cancel()
        with trio.move_on_after(STOP_SECONDS):
            for job in list(self._running.values()):
                await job.gone.wait()


def _holder(job: LiveJob) -> str:
    """The same for every attempt of one person, so that the next attempt after a crash finds its own reservation."""
    return f"live:{job.subject}"


@asynccontextmanager
async def open_live(service: LiveService) -> AsyncIterator[LiveService]:
    """Lets the service run jobs; leaving ends those that still run."""
    await service.load()
    async with trio.open_nursery() as nursery:
        service._nursery = nursery
        try:
            yield service
        finally:
            service._nursery = None
            nursery.cancel_scope.cancel()
