"""One live registration: its progress, its history, and the signal that the history has grown.

The job's task appends to the history, and observers read it at their own pace. Observers that wait for their socket at the
same time are told by one task of the job, `tell`. The job waits for nobody.
"""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import trio

from regserver.domain.account import NameKey, name_key
from regserver.domain.estimate import MAX_MARKS, Run
from regserver.domain.live_progress import LiveMessage, LiveProgress, ProgressEvent, RegistrationId
from regserver.domain.secret import SecretHash
from regserver.ports.clock import Clock
from regserver.ports.source import Subject
from regserver.service.asker import Asker

TOLD_PER_TURN = 200
"""Observers between two checkpoints, so that many of them do not delay other tasks."""


class Applicant(msgspec.Struct, frozen=True):
    """A person whom the source has accepted. username: as the source knows them. password_hash: for the account.

    invitation: that they came with.
    """

    username: str
    subject: Subject
    password_hash: str
    asker: Asker
    invitation: SecretHash | None = None

    def __repr__(self) -> str:
        return "Applicant(…)"


class Observer(Protocol):
    """Somebody who watches a registration."""

    def more_nowait(self) -> None:
        """The history has grown. Neither blocks nor raises."""


class Shown(msgspec.Struct, frozen=True):
    """An event of the history. ends_at: the end as estimated then, as Clock.elapsed counts; None if unknown."""

    event: ProgressEvent
    ends_at: float | None


@dataclass(slots=True, eq=False, repr=False)  # a repr would show the password's hash
class LiveJob:
    """A registration that runs, or is over and can still be read.

    applicant: whose registration it is, as in the sign-in that started it; its language is that of the messages to all.
    username: the name that the account gets; another than the applicant's where that belongs to somebody else.
    begun: set when the reservation of the name has succeeded or failed; if it failed, `gone` is set as well.
    gone: set when the job has ended and its name is free, or its account's.
    """

    id: RegistrationId
    applicant: Applicant
    clock: Clock
    username: str = ""
    progress: LiveProgress = field(default_factory=LiveProgress)
    history: list[Shown] = field(default_factory=list)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    begun: trio.Event = field(default_factory=trio.Event)
    gone: trio.Event = field(default_factory=trio.Event)
    _started_at: float = field(init=False)
    _marks: dict[int, int] = field(default_factory=dict)
    _grown: trio.Event = field(default_factory=trio.Event)
    _observers: dict[Observer, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._started_at = self.clock.elapsed()

    @property
    def subject(self) -> Subject:
        """The source's id of the person."""
        return self.applicant.subject

    @property
    def language(self) -> str:
        """The language of the server's messages."""
        return self.applicant.asker.language

    @property
    def key(self) -> NameKey:
        """The account's name as it is compared."""
        return name_key(self.username)

    @property
    def over(self) -> bool:
        """Whether the history is complete."""
        return self.progress.over

    @property
    def interrupted(self) -> bool:
        """Whether a shutdown ended the job."""
        return bool(self.history) and self.history[-1].event.message is LiveMessage.STOPPING

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the start."""
        return (self.clock.elapsed() - self._started_at) * 1000

    def show(self, event: ProgressEvent, left_ms: float | None = None) -> None:
        """Appends an event. left_ms: estimated milliseconds from it to the end."""
        ends_at = None if left_ms is None else self.clock.elapsed() + left_ms / 1000
        if event.step not in self._marks and len(self._marks) < MAX_MARKS:
            self._marks[event.step] = round(self.elapsed_ms)
        self.history.append(Shown(event, ends_at))
        # A trio.Event cannot be reset: waiting observers have this one, later ones get a new one.
        self._grown.set()
        self._grown = trio.Event()

    def run(self) -> Run:
        """The durations of this registration, for the estimates of later ones."""
        return Run(round(self.elapsed_ms), tuple(self._marks.items()))

    def eta_seconds(self, shown: Shown) -> int | None:
        """Whole seconds from now to the end as estimated at that event; at least 1 before the end, 0 after it."""
        if self.over:
            return 0
        if shown.ends_at is None:
            return None
        return max(1, round(shown.ends_at - self.clock.elapsed()))

    async def more(self, seen: int) -> bool:
        """Waits until the history is longer than `seen`; False when it is complete before."""
        while len(self.history) <= seen:
            if self.over:
                return False
            await self._grown.wait()
        return True

    # --- observers that are told
    def attach(self, observer: Observer) -> None:
        """Adds an observer, which is told from now on."""
        self._observers[observer] = None

    def detach(self, observer: Observer) -> None:
        """Removes an observer; none is no error."""
        self._observers.pop(observer, None)

    async def tell(self) -> None:
        """Tells the observers until the history is complete. What has come in one step of the loop is told at once."""
        told = 0
        while await self.more(told):
            told = len(self.history)
            for number, observer in enumerate(list(self._observers), 1):
                observer.more_nowait()
                if number % TOLD_PER_TURN == 0:
                    await trio.lowlevel.checkpoint()

    def tell_nowait(self) -> None:
        """Tells all of them at once: for an end that came when `tell` had been cancelled."""
        for observer in list(self._observers):
            observer.more_nowait()
