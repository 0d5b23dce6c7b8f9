"""One live registration that this node runs: its progress, and its history as observers see it."""

from dataclasses import dataclass, field

import msgspec
import trio

from regserver.domain.account import NameKey, name_key
from regserver.domain.estimate import MAX_MARKS, Run
from regserver.domain.live_progress import LiveMessage, LiveProgress, ProgressEvent, RegistrationId
from regserver.domain.secret import SecretHash
from regserver.ports.clock import Clock
from regserver.ports.source import Subject
from regserver.service.asker import Asker
from regserver.service.live_history import LiveHistory


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


@dataclass(slots=True, eq=False, repr=False)  # a repr would show the password's hash
class LiveJob(LiveHistory):
    """A registration that runs, or is over and can still be read.

    applicant: whose registration it is, as in the sign-in that started it; its language is that of the messages to all.
    username: the name that the account gets; another than the applicant's where that belongs to somebody else.
    begun: set when the reservation of the name has succeeded or failed; if it failed, `gone` is set as well.
    gone: set when the job has ended and its name is free, or its account's.
    kept: how many of its events other nodes can read. is_lost: whether another node has ended it.
    """

    id: RegistrationId
    applicant: Applicant
    username: str = ""
    progress: LiveProgress = field(default_factory=LiveProgress)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    begun: trio.Event = field(default_factory=trio.Event)
    gone: trio.Event = field(default_factory=trio.Event)
    kept: int = 0
    is_lost: bool = False
    _started_at: float = field(init=False)
    _marks: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, registration: RegistrationId, applicant: Applicant, clock: Clock) -> "LiveJob":
        """A new one."""
        return cls(registration, applicant, clock=clock, language=applicant.asker.language)

    def __post_init__(self) -> None:
        self._started_at = self.clock.elapsed()

    @property
    def subject(self) -> Subject:
        """The source's id of the person."""
        return self.applicant.subject

    @property
    def key(self) -> NameKey:
        """The account's name as it is compared."""
        return name_key(self.username)

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
        self.append(event, ends_at)

    def run(self) -> Run:
        """The durations of this registration, for the estimates of later ones."""
        return Run(round(self.elapsed_ms), tuple(self._marks.items()))
