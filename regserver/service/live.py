"""Live registrations: one job per user, watched by any number of observers.

A job owns a nursery and a deadline. It reads the source's lines, turns them into events and appends those to its
history; nobody is ever waited for. Observers read the history at their own pace, from its first event, whenever they
come. At the end account, profile and token are written in one transaction, and only then is the token shown. A
finished job stays readable for the replay time, its token in memory alone; then the id is forgotten.

    sign-in → start() → reserve the name → job: source → history → observers
                                                └→ one transaction → AUTHENTICATION
"""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from regserver.domain.account import NameKey, NewAccount, Profile, name_key
from regserver.domain.instant import SECOND, Duration, after
from regserver.domain.live import (
    TRANSITIONS,
    Event,
    Failed,
    Finished,
    JobEvent,
    JobState,
    Line,
    Malformed,
    Named,
    Progress,
    RegistrationId,
    Step,
)
from regserver.domain.outcome import EmailTaken, SourceUnavailable, UsernameTaken
from regserver.ports.adapter import Clock, Randomness, Source, SourceFault, Subject
from regserver.ports.store import Store, StoreFault, Transaction
from regserver.service.account import add_account
from regserver.service.identity import IdentityService, SignedIn

log = logging.getLogger("regserver.live")

RETRY_AFTER_SECONDS = 5
STOP_SECONDS = 1.0
RESERVATION_MARGIN = Duration(30 * SECOND)

# What users read. The source words its own steps; these are ours.
NAMED = "Your name was found"
REGISTERED = "Registration complete"
BROKEN = "Registration could not be completed. Please try again later."
TOO_SLOW = "Registration took too long. Please try again later."
STOPPING = "The server is restarting. Please sign in again in a moment."
NAME_LOST = "This user name was taken meanwhile."


class Job:
    """One registration: its state, its history, and the signal that it grew."""

    def __init__(
        self, registration: RegistrationId, username: str, subject: Subject, password_hash: str
    ) -> None:
        self.id = registration
        self.username = username
        self.subject = subject
        self.password_hash = password_hash
        self.state: JobState = "running"
        self.profile: Profile | None = None
        self.progress = Progress()
        self.history: list[Event] = []
        self.scope = trio.CancelScope()
        self.interrupted = False  # ended by a shutdown, not by its own course
        self._grown = trio.Event()

    @property
    def key(self) -> NameKey:
        return name_key(self.username)

    @property
    def over(self) -> bool:
        return not TRANSITIONS[self.state]

    def advance(self, what: JobEvent) -> bool:
        """Takes the transition; False when the table has none, and nothing has changed."""
        following = TRANSITIONS[self.state].get(what)
        if following is None:
            return False
        self.state = following
        return True

    def show(self, event: Event) -> None:
        self.history.append(event)
        self._grown.set()
        self._grown = trio.Event()

    async def events(self) -> AsyncIterator[Event]:
        """The history from its first event, then what comes, until the job is over."""
        shown = 0
        while True:
            while shown < len(self.history):
                yield self.history[shown]
                shown += 1
            if self.over:
                return
            await self._grown.wait()


class LiveService:
    """Opened by `open_live`, which owns the nursery that the jobs run in.

    deadline: how long a job may take. replay: how long a finished one stays readable. max_running: admission bound.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        identity: IdentityService,
        source: Source | None,
        *,
        deadline: Duration,
        replay: Duration,
        max_running: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._identity = identity
        self._source = source
        self._deadline = deadline
        self._replay = replay
        self._max_running = max_running
        self._jobs: dict[RegistrationId, Job] = {}
        self._running: dict[NameKey, Job] = {}
        self._ended = trio.Event()
        self._nursery: trio.Nursery | None = None

    @property
    def running(self) -> int:
        return len(self._running)

    def job(self, registration: str) -> Job | None:
        """The job behind an id, running or still replayable."""
        return self._jobs.get(RegistrationId(registration))

    async def start(
        self, username: str, subject: Subject, password_hash: str
    ) -> RegistrationId | UsernameTaken | SourceUnavailable:
        """The registration of a user whose credentials the source has accepted: the one that runs, or a new one."""
        key = name_key(username)
        if (job := self._running.get(key)) is not None:
            return job.id
        if self._nursery is None or len(self._running) >= self._max_running:
            return SourceUnavailable(RETRY_AFTER_SECONDS)
        identity = uuid.UUID(bytes=self._randomness.bytes(16), version=4)
        job = Job(RegistrationId(f"u-{identity}"), username, subject, password_hash)
        # Entered before the first wait: of fifty concurrent sign-ins one makes the job and the others find it.
        self._running[key] = job
        if not await self._reserve(job):
            del self._running[key]
            return UsernameTaken()
        self._jobs[job.id] = job
        self._nursery.start_soon(self._run, job)
        return job.id

    async def _reserve(self, job: Job) -> bool:
        async def work(transaction: Transaction) -> bool:
            now = self._clock.now()
            until = after(now, self._deadline + RESERVATION_MARGIN)
            return await transaction.names.claim(job.key, _holder(job), until, now)

        return await self._store.write(work)

    async def _run(self, job: Job) -> None:
        try:
            with job.scope, trio.move_on_after(self._deadline.seconds) as deadline:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._register, job)
            if deadline.cancelled_caught:
                self._fail(job, TOO_SLOW)
        finally:
            # Here also when everything is cancelled at once: the observers' sockets may still be open.
            if not job.over:
                job.interrupted = True
                self._fail(job, STOPPING)
            if job.state == "failed":
                await self._release(job)
            del self._running[job.key]
            self._ended.set()
            self._ended = trio.Event()
        if self._nursery is not None:
            self._nursery.start_soon(self._forget, job)

    async def _register(self, job: Job) -> None:
        """Reads the source to its end. Whatever goes wrong becomes one FAILURE, its detail goes to the log."""
        assert self._source is not None  # noqa: S101  (a job exists only when a source accepted somebody)
        try:
            async with self._source.profile(job.subject) as lines:
                async for line in lines:
                    await self._take(job, line)
                    if job.over:
                        return
            self._break(job, "the stream ended without done")
        except* (SourceFault, StoreFault) as group:
            self._break(job, "; ".join(str(error) for error in group.exceptions))
        except* Exception:
            log.exception("registration failed")
            self._fail(job, BROKEN)

    async def _take(self, job: Job, line: Line) -> None:
        match line:
            case Step():
                if not job.advance("step"):
                    return self._break(job, "a step out of turn")
                job.show(job.progress.step(line))
            case Named(profile=profile):
                if not job.advance("name"):
                    return self._break(job, "a second name")
                job.profile = profile
                job.show(job.progress.name(profile, NAMED))
            case Failed(message=message):
                self._fail(job, message)
            case Finished():
                if job.profile is None:
                    return self._break(job, "done before the name")
                await self._finish(job, job.profile)
            case Malformed(detail=detail):
                self._break(job, f"a malformed line: {detail}")
        return None

    async def _finish(self, job: Job, profile: Profile) -> None:
        """Account, profile and token in one transaction: after a crash a user is registered whole or not at all."""

        async def work(transaction: Transaction) -> SignedIn | UsernameTaken | EmailTaken:
            new = NewAccount(
                username=job.username,
                door="live",
                subject=job.subject,
                password_hash=job.password_hash,
                created_at=self._clock.now(),
            )
            account = await add_account(transaction, new, reserved_by=_holder(job))
            if isinstance(account, UsernameTaken | EmailTaken):
                return account
            await transaction.accounts.add_profile(account, profile)
            return await self._identity.issue(transaction, account)

        with trio.CancelScope(shield=True):  # once begun it ends, and who was registered is told
            signed_in = await self._store.write(work)
        if isinstance(signed_in, SignedIn):
            job.advance("done")
            job.show(job.progress.authentication(signed_in.user_id, signed_in.token, REGISTERED))
        else:
            self._fail(job, NAME_LOST)

    def _break(self, job: Job, detail: str) -> None:
        """The source did not keep its protocol."""
        log.warning("registration failed: %s", detail)
        self._fail(job, BROKEN)

    def _fail(self, job: Job, message: str) -> None:
        if job.advance("failure"):
            job.show(job.progress.failure(message))

    async def _release(self, job: Job) -> None:
        with trio.CancelScope(
            shield=True
        ):  # one short write; without it the name stays reserved until it lapses
            try:
                await self._store.write(lambda transaction: transaction.names.release(job.key, _holder(job)))
            except StoreFault as fault:
                log.warning("a reservation was left to lapse: %s", fault)

    async def _forget(self, job: Job) -> None:
        await trio.sleep(self._replay.seconds)
        self._jobs.pop(job.id, None)

    async def stop(self) -> None:
        """Ends all running jobs with FAILURE; no new ones are taken. Bounded by STOP_SECONDS."""
        self._nursery = None
        for job in list(self._running.values()):
            job.scope.cancel()
        with trio.move_on_after(STOP_SECONDS):
            while self._running:
                await self._ended.wait()


def _holder(job: Job) -> str:
    """The same for every attempt of one person, so that the next attempt after a crash finds its own reservation."""
    return f"live:{job.subject}"


@asynccontextmanager
async def open_live(service: LiveService) -> AsyncIterator[LiveService]:
    """Lets the service run jobs; leaving ends those that still run."""
    async with trio.open_nursery() as nursery:
        service._nursery = nursery
        try:
            yield service
        finally:
            service._nursery = None
            nursery.cancel_scope.cancel()
