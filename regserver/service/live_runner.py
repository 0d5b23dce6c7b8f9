"""Running one live registration: the source's lines become the job's history, and finally an account.

    source ──line──► LiveProgress ──event──► history
                         └─Complete──► one transaction ──► AUTHENTICATION

After any fault the history ends with one FAILURE, since observers wait for an end; other jobs run on.
"""

import logging

import trio

from regserver.domain.account import Profile
from regserver.domain.estimate import Estimator
from regserver.domain.instant import Duration
from regserver.domain.live_progress import Complete, LiveMessage, ProgressEvent, ProtocolBroken
from regserver.domain.outcome import InvitationRequired
from regserver.domain.source_line import SourceLine, in_language
from regserver.group import leaves
from regserver.ports.clock import Clock
from regserver.ports.source import Source, SourceFault
from regserver.ports.store import StoreFault
from regserver.service.identity_service import SignedIn
from regserver.service.live_account import JobLost, LiveAccounts
from regserver.service.live_board import LiveBoard
from regserver.service.live_job import LiveJob
from regserver.service.sign_up_gate import Refused

log = logging.getLogger("regserver.live")

LINES_PER_TURN = 64
"""Lines between two checkpoints, so that a fast source does not block other tasks."""


class LiveRunner:
    """Runs jobs. deadline: of one job. estimator: learns from each job that succeeded. board: is told of events."""

    def __init__(
        self,
        source: Source,
        accounts: LiveAccounts,
        estimator: Estimator,
        deadline: Duration,
        clock: Clock,
        board: LiveBoard,
    ) -> None:
        self._source = source
        self._accounts = accounts
        self._estimator = estimator
        self._deadline = deadline
        self._clock = clock
        self._board = board

    async def run(self, job: LiveJob) -> None:
        """Runs the job to its end, in a nursery of its own. Raises nothing but Cancelled, since other jobs run beside it."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(job.tell)
                await self._end(job)
        finally:
            job.tell_nowait()

    async def _end(self, job: LiveJob) -> None:
        try:
            with job.scope, self._clock.move_on_after(self._deadline.seconds) as late:
                await self._read(job)
            if late.cancelled_caught and not job.over:
                log.warning("registration failed: not done in %g s", self._deadline.seconds)
                self._fail(job, LiveMessage.TOO_SLOW)
        finally:
            # Also when the whole server is cancelled: the observers' sockets may still be open.
            if not job.over:
                self._fail(job, LiveMessage.NODE_LOST if job.is_lost else LiveMessage.STOPPING)
            if job.progress.state == "failed":
                await self._accounts.release(job)

    async def _read(self, job: LiveJob) -> None:
        """Reads the source to its end. After a fault the user gets one FAILURE, and the log its cause."""
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
            self._fail(job, LiveMessage.BROKEN)

    async def _take(self, job: LiveJob, line: SourceLine) -> None:
        match job.progress.take(in_language(line, job.language)):
            case ProtocolBroken(detail=detail):
                self._break(job, detail)
            case Complete(profile=profile):
                await self._finish(job, profile)
            case ProgressEvent() as event:
                self._show(job, event)

    async def _finish(self, job: LiveJob, profile: Profile) -> None:
        run = job.run()
        registered = await self._accounts.register(job, profile, run)
        if isinstance(registered, SignedIn):
            self._estimator.learn(run)
            self._show(job, job.progress.authenticate(registered.user_id, registered.token))
        elif isinstance(registered, JobLost):
            self._fail(job, LiveMessage.NODE_LOST)
        elif isinstance(registered, InvitationRequired):
            self._fail(job, LiveMessage.NOT_INVITED)
        elif isinstance(registered, Refused):
            self._break(job, "too many accounts wait already")
        else:
            self._fail(job, LiveMessage.NAME_LOST)

    def _break(self, job: LiveJob, detail: str) -> None:
        """Fails the job because of the source. detail: for the operator's log."""
        if not job.over:
            log.warning("registration failed: %s", detail)
            self._fail(job, LiveMessage.BROKEN)

    def _fail(self, job: LiveJob, message: LiveMessage) -> None:
        self._show(job, job.progress.fail(message))

    def _show(self, job: LiveJob, event: ProgressEvent | None) -> None:
        if event is not None:
            left = self._estimator.left_ms(event.step, event.total_steps, job.elapsed_ms)
            job.show(event, left)
            self._board.grown_nowait(job)
