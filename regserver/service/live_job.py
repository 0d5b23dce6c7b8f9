"""One live registration: its progress, its history, and the signal that it grew.

The job's task appends, observers read at their own pace; neither knows of the other. So an observer costs the job
nothing, whether there are none or a thousand, fast, slow or dead.
"""

import msgspec
import trio

from regserver.domain.account import NameKey, name_key
from regserver.domain.estimate import MAX_MARKS, Run
from regserver.domain.live_progress import LiveProgress, ProgressEvent
from regserver.domain.source_line import RegistrationId
from regserver.ports.source import Subject


class Shown(msgspec.Struct, frozen=True):
    """An event as it went into the history. ends_at: when the end was expected then (trio's clock), None: no idea."""

    event: ProgressEvent
    ends_at: float | None


class LiveJob:
    """A registration that runs, or is over and can still be read."""

    __slots__ = (
        "_grown",
        "_marks",
        "_started_at",
        "_watching",
        "begun",
        "gone",
        "history",
        "id",
        "interrupted",
        "key",
        "password_hash",
        "progress",
        "scope",
        "subject",
        "username",
    )

    def __init__(
        self, registration: RegistrationId, username: str, subject: Subject, password_hash: str
    ) -> None:
        self.id = registration
        self.username = username
        self.key: NameKey = name_key(username)
        self.subject = subject
        self.password_hash = password_hash
        self.progress = LiveProgress()
        self.history: list[Shown] = []
        self.scope = trio.CancelScope()
        self.interrupted = False  # ended by a shutdown, not by its own progress
        self.begun = trio.Event()  # its name is reserved; or was refused, and then it is gone as well
        self.gone = trio.Event()  # it runs no more, and its name is free again or its account's
        self._started_at = trio.current_time()
        self._marks: dict[int, int] = {}
        self._grown = trio.Event()
        self._watching: set[trio.CancelScope] = set()

    @property
    def over(self) -> bool:
        return self.progress.over

    @property
    def elapsed_ms(self) -> float:
        return (trio.current_time() - self._started_at) * 1000

    def show(self, event: ProgressEvent, left_ms: float | None = None) -> None:
        """Adds an event. left_ms: how long the registration is expected to go on after it."""
        ends_at = None if left_ms is None else trio.current_time() + left_ms / 1000
        if event.step not in self._marks and len(self._marks) < MAX_MARKS:
            self._marks[event.step] = round(self.elapsed_ms)
        self.history.append(Shown(event, ends_at))
        self._grown.set()
        self._grown = trio.Event()
        for scope in self._watching:
            scope.cancel()

    def run(self) -> Run:
        """What this registration teaches about the next ones."""
        return Run(round(self.elapsed_ms), tuple(self._marks.items()))

    def eta_seconds(self, shown: Shown) -> int | None:
        """Whole seconds to the end as expected at that event, from now; at least 1 until it is there."""
        if self.over:
            return 0
        if shown.ends_at is None:
            return None
        return max(1, round(shown.ends_at - trio.current_time()))

    async def more(self, seen: int) -> bool:
        """Waits until the history is longer than `seen`; False when it will not be."""
        while len(self.history) <= seen:
            if self.over:
                return False
            await self._grown.wait()
        return True

    def until_more_nowait(self, seen: int) -> trio.CancelScope:
        """A scope to wait in, cancelled when the history is longer than `seen`, or when it is complete.

        For observers that have something else to wait for: a second task for it would take kilobytes of each. To be
        given back to `forget_nowait`.
        """
        scope = trio.CancelScope()
        if len(self.history) > seen or self.over:
            scope.cancel()
        self._watching.add(scope)
        return scope

    def forget_nowait(self, scope: trio.CancelScope) -> None:
        self._watching.discard(scope)
