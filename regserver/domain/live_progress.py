"""The progress of one live registration: how lines become what observers see, whatever the lines are.

    running ──name──▶ named ──done──▶ registered
       └──────failure─────┴─────────▶ failed              (steps change neither)

Steps start at 1 and never go back, the total is -1 until it is known, the name comes once and before the end. A line
that breaks the protocol, or one too many, is `Broken`, and the registration fails.
"""

from typing import Literal

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, Profile
from regserver.domain.source_line import DoneLine, FailureLine, MalformedLine, NameLine, SourceLine, StepLine

UNKNOWN_TOTAL = -1
MAX_EVENTS = 10_000
MAX_TEXT_LENGTH = 2_000_000
"""All messages of one registration together: its history stays in memory for its observers."""

NAMED = "Your name was found"

EventType = Literal["INFORMATION", "FAILURE", "AUTHENTICATION", "NAME"]


class Authentication(msgspec.Struct, frozen=True, rename="camel"):
    user_id: int
    token: str


class Nothing(msgspec.Struct, frozen=True):
    """`{}`"""


class NameData(msgspec.Struct, frozen=True, rename="camel"):
    first_name: str
    middle_name: str | None
    last_name: str


class ProgressEvent(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One frame, with exactly the seed's keys."""

    event_type: EventType
    step: int
    total_steps: int
    message: str
    additional_data: Nothing | NameData | Authentication = Nothing()


class ProtocolBroken(msgspec.Struct, frozen=True):
    """The source did not keep its protocol. detail: for the operator."""

    detail: str


class Complete(msgspec.Struct, frozen=True):
    """The source has said everything: now the account can be made."""

    profile: Profile


ProgressState = Literal["running", "named", "registered", "failed"]
ProgressInput = Literal["step", "name", "done", "failure"]

TRANSITIONS: dict[ProgressState, dict[ProgressInput, ProgressState]] = {
    "running": {"step": "running", "name": "named", "failure": "failed"},
    "named": {"step": "named", "done": "registered", "failure": "failed"},
    "registered": {},
    "failed": {},
}
"""A missing entry changes nothing: the source broke its protocol, or the registration is over."""

_OUT_OF_TURN: dict[ProgressInput, str] = {
    "step": "a step after the end",
    "name": "a second name",
    "done": "done before the name",
    "failure": "a failure after the end",
}


class LiveProgress:
    """Not shared between tasks: one reads the source and moves it on."""

    __slots__ = ("_count", "_length", "_profile", "_step", "_total", "state")

    def __init__(self) -> None:
        self.state: ProgressState = "running"
        self._profile: Profile | None = None
        self._step = 1
        self._total = UNKNOWN_TOTAL
        self._count = 0
        self._length = 0

    @property
    def over(self) -> bool:
        return not TRANSITIONS[self.state]

    @property
    def step(self) -> int:
        """As far as it has come; 1 also before anything was said."""
        return self._step

    def take(self, line: SourceLine) -> ProgressEvent | Complete | ProtocolBroken:
        """What a line means here. `Complete` changes nothing yet: `authenticate` does, once the account is there."""
        match line:
            case StepLine():
                return self._advance(line)
            case NameLine(profile=profile):
                return self._name(profile)
            case FailureLine(message=message):
                return self.fail(message) or ProtocolBroken(_OUT_OF_TURN["failure"])
            case DoneLine():
                if self._profile is None or "done" not in TRANSITIONS[self.state]:
                    return ProtocolBroken(_OUT_OF_TURN["done"])
                return Complete(self._profile)
            case MalformedLine(detail=detail):
                return ProtocolBroken(f"a malformed line: {detail}")

    def fail(self, message: str) -> ProgressEvent | None:
        """The one FAILURE; None when the registration is over."""
        return self._event("FAILURE", message) if self._enter("failure") else None

    def authenticate(self, user_id: int, token: str, message: str) -> ProgressEvent | None:
        """The one AUTHENTICATION; None when it cannot be now."""
        data = Authentication(user_id, token)
        return self._event("AUTHENTICATION", message, data) if self._enter("done") else None

    def _enter(self, what: ProgressInput) -> bool:
        following = TRANSITIONS[self.state].get(what)
        if following is None:
            return False
        self.state = following
        return True

    def _advance(self, line: StepLine) -> ProgressEvent | ProtocolBroken:
        self._count += 1
        self._length += len(line.message)
        if self._count > MAX_EVENTS or self._length > MAX_TEXT_LENGTH:
            return ProtocolBroken("more lines than a registration may have")
        if not self._enter("step"):
            return ProtocolBroken(_OUT_OF_TURN["step"])
        following = self._step + 1 if self._count > 1 else 1
        said = following if line.step is None else line.step
        self._step = max(self._step, min(said, MAX_JSON_INTEGER))
        if line.total is not None and line.total > 0:
            self._total = line.total
        return self._event("INFORMATION", line.message)

    def _name(self, profile: Profile) -> ProgressEvent | ProtocolBroken:
        if not self._enter("name"):
            return ProtocolBroken(_OUT_OF_TURN["name"])
        self._profile = profile
        data = NameData(profile.first_name, profile.middle_name, profile.last_name)
        return self._event("NAME", NAMED, data)

    def _event(
        self,
        kind: EventType,
        message: str,
        data: Nothing | NameData | Authentication = Nothing(),  # noqa: B008
    ) -> ProgressEvent:
        if self._total != UNKNOWN_TOTAL:
            self._total = max(self._total, self._step)
        return ProgressEvent(
            event_type=kind, step=self._step, total_steps=self._total, message=message, additional_data=data
        )
