"""The transactions of a live registration: the reservation of its name, and the account at its end."""

import logging
from collections.abc import Callable, Iterator

import msgspec
import trio

from regserver.domain.account import Profile, name_key
from regserver.domain.estimate import REMEMBERED_RUNS, Run
from regserver.domain.instant import SECOND, Duration, after
from regserver.domain.live_progress import ProgressState, RegistrationId
from regserver.domain.outcome import EmailTaken, SourceUnavailable, UsernameTaken
from regserver.ports.account_table import SourceLink
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.source import Source
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.guess_guard import GuessGuard
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_board import LiveBoard, LiveFull, LoneBoard
from regserver.service.live_job import LiveJob
from regserver.service.live_person import failed_hook, live_holder, new_account, newcomer
from regserver.service.sign_up_gate import OPEN_GATE, Refused, SignUpGate

log = logging.getLogger("regserver.live")

NAMES_TRIED = 100
"""Names that are tried for a person: ada, ada-2, ada-3, …"""
RESERVATION_MARGIN = Duration(30 * SECOND)
"""A reservation outlives its job's deadline by this, so that it does not lapse while the account is written."""


class LivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """deadline: how long a job may take. replay: how long a finished job stays readable. max_running: jobs at once, on all nodes.
    source: its kind, under which past runs are stored, and whose people are told apart from those of other kinds.
    """

    deadline: Duration
    replay: Duration
    max_running: int
    source: str = "file"


class LiveParts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of live registration. source: None when it is switched off. on_end: called with each job's last state.

    gate: of new people. board: where the nodes see each other's jobs.
    """

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    guard: GuessGuard
    source: Source | None
    policy: LivePolicy
    on_end: Callable[[ProgressState], None] = lambda state: None
    gate: SignUpGate = OPEN_GATE
    board: LiveBoard = msgspec.field(default_factory=LoneBoard)


class JobLost(msgspec.Struct, frozen=True):
    """Another node has ended the job, since it saw no sign of life of this one."""


class LiveAccounts:
    """The transactions of live registration."""

    def __init__(self, parts: LiveParts) -> None:
        self._parts = parts

    async def past_runs(self) -> tuple[Run, ...]:
        """The newest runs of the source, oldest first."""
        return await self._parts.store.read(
            lambda transaction: transaction.runs.newest(self._parts.policy.source, REMEMBERED_RUNS)
        )

    @property
    def _keeps_names(self) -> bool:
        """Whether the names of the source's people are reserved for good."""
        return self._parts.source is not None and self._parts.source.people is not None

    async def reserve(self, job: LiveJob) -> RegistrationId | UsernameTaken | SourceUnavailable | None:
        """Reserves a name for the time of the job: the person's own, or the next free one. None when that is done.

        UsernameTaken when the person has an account by now, or another holder has the name of somebody whom the source
        lists. SourceUnavailable when as many run on all nodes as may. An id is that of the person's registration on another node.
        """

        async def work(transaction: Transaction) -> tuple[str, RegistrationId | None] | None:
            now, subject = self._parts.clock.now(), job.subject
            if await transaction.accounts.by_subject(self._parts.policy.source, subject) is not None:
                return None
            until = after(now, self._parts.policy.deadline + RESERVATION_MARGIN)
            for name in self._names(job.applicant.username):
                if await transaction.names.claim(
                    name_key(name), live_holder(subject), None if self._keeps_names else until, now
                ):
                    return name, await self._parts.board.claim(transaction, job, name)
            return None

        try:
            reserved = await self._parts.store.write(work)
        except LiveFull:
            return SourceUnavailable()
        if reserved is None:
            return UsernameTaken()
        job.username, elsewhere = reserved
        return elsewhere

    def _names(self, wanted: str) -> Iterator[str]:
        yield wanted
        if not self._keeps_names:
            yield from (f"{wanted}-{number}" for number in range(2, NAMES_TRIED + 1))

    async def release(self, job: LiveJob) -> None:
        """The job failed: frees the name, and tells webhooks, also during a cancellation.

        If the store fails, the reservation lapses by itself.
        """

        async def work(transaction: Transaction) -> None:
            if not await self._parts.board.end(transaction, job):
                return  # who has ended it has done the rest
            await transaction.hooks.tell(failed_hook(job.applicant.username, self._parts.clock.now()))
            if not self._keeps_names:
                await transaction.names.release(job.key, live_holder(job.subject))

        with trio.CancelScope(shield=True):
            try:
                await self._parts.store.write(work)
                job.kept = len(job.history)
            except StoreFault as fault:
                log.warning("a reservation was left to lapse: %s", fault)

    async def register(
        self, job: LiveJob, profile: Profile, run: Run
    ) -> SignedIn | UsernameTaken | EmailTaken | Refused | JobLost:
        """Writes account, profile and token in one transaction: after a crash a user is registered completely or not at all.

        run: the durations of this job, for the estimates of later ones. Raises StoreFault.
        """

        applicant, now = job.applicant, self._parts.clock.now()
        language = applicant.asker.language
        entry = await self._parts.gate.enter(newcomer(applicant), job.username, "live", language)
        new = new_account(job, now)
        link = SourceLink(self._parts.policy.source, applicant.username, now)

        async def work(transaction: Transaction) -> SignedIn | UsernameTaken | EmailTaken | Refused | JobLost:
            if not await self._parts.board.hold(transaction, job):
                return JobLost()
            if await transaction.accounts.by_subject(link.source, job.subject) is not None:
                return UsernameTaken()  # registered by another node meanwhile: the next sign-in finds it
            account = await add_account(transaction, new, live_holder(job.subject), entry)
            if isinstance(account, UsernameTaken | EmailTaken | Refused):
                return account
            await transaction.accounts.confirm_source(account, link)
            await transaction.accounts.add_profile(account, profile)
            await self._parts.guard.remember(transaction, account, applicant.asker)
            await transaction.runs.add(self._parts.policy.source, run, new.created_at, REMEMBERED_RUNS)
            signed_in = await self._parts.identity.issue(transaction, account, applicant.asker)
            last = job.progress.authentication(signed_in.user_id, signed_in.token)
            await self._parts.board.end(transaction, job, last, account)
            return signed_in

        # The deadline must not cancel between the commit and its event: observers must learn of a committed account.
        with trio.CancelScope(shield=True):
            registered = await self._parts.store.write(work)
        if isinstance(registered, SignedIn):
            job.kept = len(job.history) + 1  # the last one follows at once
        return registered
