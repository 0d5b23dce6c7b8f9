"""The transactions of a live registration: the reservation of its name, and the account at its end."""

import logging
from collections.abc import Callable

import msgspec
import trio

from regserver.domain.account import NewAccount, Profile
from regserver.domain.estimate import REMEMBERED_RUNS, Run
from regserver.domain.instant import SECOND, Duration, after
from regserver.domain.live_progress import ProgressState
from regserver.domain.outcome import EmailTaken, UsernameTaken
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.source import Source
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_job import LiveJob

log = logging.getLogger("regserver.live")

RESERVATION_MARGIN = Duration(30 * SECOND)
"""A reservation outlives its job's deadline by this, so that it does not lapse while the account is written."""


class LivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """deadline: how long a job may take. replay: how long a finished job stays readable. max_running: jobs at once.
    source: the name under which past runs are stored.
    """

    deadline: Duration
    replay: Duration
    max_running: int
    source: str = "file"


class LiveParts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of live registration. source: None when it is switched off. on_end: called with each job's last state."""

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    source: Source | None
    policy: LivePolicy
    on_end: Callable[[ProgressState], None] = lambda state: None


class LiveAccounts:
    """The transactions of live registration."""

    def __init__(self, parts: LiveParts) -> None:
        self._parts = parts

    async def past_runs(self) -> tuple[Run, ...]:
        """The newest runs of the source, oldest first."""
        return await self._parts.store.read(
            lambda transaction: transaction.runs.newest(self._parts.policy.source, REMEMBERED_RUNS)
        )

    async def reserve(self, job: LiveJob) -> bool:
        """Reserves the name for the time of the job; False when another holder has it."""

        async def work(transaction: Transaction) -> bool:
            now = self._parts.clock.now()
            until = after(now, self._parts.policy.deadline + RESERVATION_MARGIN)
            return await transaction.names.claim(job.key, _holder(job), until, now)

        return await self._parts.store.write(work)

    async def release(self, job: LiveJob) -> None:
        """Frees the name, also during a cancellation. If the store fails, the reservation lapses by itself."""
        with trio.CancelScope(shield=True):
            try:
                await self._parts.store.write(
                    lambda transaction: transaction.names.release(job.key, _holder(job))
                )
            except StoreFault as fault:
                log.warning("a reservation was left to lapse: %s", fault)

    async def register(
        self, job: LiveJob, profile: Profile, run: Run
    ) -> SignedIn | UsernameTaken | EmailTaken:
        """Writes account, profile and token in one transaction: after a crash a user is registered completely or not at all.

        run: the durations of this job, for the estimates of later ones. Raises StoreFault.
        """

        async def work(transaction: Transaction) -> SignedIn | UsernameTaken | EmailTaken:
            new = NewAccount(
                username=job.username,
                origin="live",
                subject=job.subject,
                password_hash=job.password_hash,
                created_at=self._parts.clock.now(),
            )
            account = await add_account(transaction, new, reserved_by=_holder(job))
            if isinstance(account, UsernameTaken | EmailTaken):
                return account
            await transaction.accounts.add_profile(account, profile)
            await transaction.runs.add(self._parts.policy.source, run, new.created_at, REMEMBERED_RUNS)
            return await self._parts.identity.issue(transaction, account)

        # The deadline must not cancel between the commit and its event: observers must learn of a committed account.
        with trio.CancelScope(shield=True):
            registered = await self._parts.store.write(work)
        return registered


def _holder(job: LiveJob) -> str:
    """The holder of the reservation, the same for every attempt of a person: after a crash the next one may take it over."""
    return f"live:{job.subject}"
