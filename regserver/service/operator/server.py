"""The running server as operators see it: its health, what runs, and reading its settings again."""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import ReloadUnavailable
from regserver.ports.store import StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.health import Health, HealthSeen
from regserver.service.operator.unit import SIGNAL, Denied, OperatorCredential, OperatorUnit

log = logging.getLogger("regserver")

MAX_SUBJECT_LENGTH = 500


class ReloadOutcome(msgspec.Struct, frozen=True):
    """taken: the names of the settings that are in force now. waiting: those that need a restart. faults: why nothing was taken."""

    taken: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def note(self) -> AuditNote:
        """Its row in the audit: names of settings, and no values."""
        words = " ".join(self.taken) or "nothing has changed"
        if self.waiting:
            words += f"; at a restart: {' '.join(self.waiting)}"
        if self.faults:
            return AuditNote(action="settings_reloaded", outcome="refused")
        return AuditNote(action="settings_reloaded", subject=words[:MAX_SUBJECT_LENGTH])


ReloadRun = Callable[[], Awaitable[ReloadOutcome]]


class RunningJob(msgspec.Struct, frozen=True):
    """A live registration that runs. username: that its person asked for. seconds: since its start. total: -1 if unknown."""

    username: str
    step: int
    total: int
    seconds: int


class ServerDesk:
    """The use cases of the server itself."""

    def __init__(
        self, unit: OperatorUnit, health: Health, jobs: Callable[[], tuple[RunningJob, ...]]
    ) -> None:
        self._unit = unit
        self._health = health
        self._jobs = jobs
        self._reload: ReloadRun | None = None

    def take_reload(self, run: ReloadRun) -> Callable[[], Awaitable[None]]:
        """run: reads this server's settings again. Returns what does so at a signal, also while the store fails."""
        self._reload = run

        async def on_signal() -> None:
            outcome = await run()
            try:
                await self._note(SIGNAL, outcome)
            except StoreFault as fault:
                log.warning("the audit has no row of the reload: %s", fault)

        return on_signal

    async def health(self, who: OperatorCredential) -> HealthSeen | Denied:
        """Every part, and whether it is well. Raises StoreFault."""
        refusal = await self._unit.check(who, Operation.READ_SERVER)
        return refusal or await self._health.look()

    async def jobs(self, who: OperatorCredential) -> tuple[RunningJob, ...] | Denied:
        """The live registrations that run on this node. Raises StoreFault."""
        refusal = await self._unit.check(who, Operation.READ_SERVER)
        return refusal or self._jobs()

    async def reload(self, who: OperatorCredential) -> ReloadOutcome | Denied | ReloadUnavailable:
        """Reads the settings again, and says what came of it. Raises StoreFault."""
        if refusal := await self._unit.check(who, Operation.CHANGE_SETTINGS):
            return refusal
        if self._reload is None:
            return ReloadUnavailable()
        outcome = await self._reload()
        refusal = await self._note(who, outcome)
        return refusal or outcome

    async def _note(self, who: OperatorCredential, outcome: ReloadOutcome) -> Denied | None:
        async def act(transaction: Transaction, _now: Instant) -> None:
            transaction.audit.note(outcome.note())

        return await self._unit.write(who, Operation.CHANGE_SETTINGS, act)
