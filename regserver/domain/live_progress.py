"""The progress of one live registration: the state machine from a source's lines to its observers' events.

    running ──name──▶ named ──done──▶ registered
       └──────failure─────┴─────────▶ failed              (steps change neither)

Steps start at 1 and never go back, the total is -1 until it is known, the name comes once and before the end. A line
that breaks the protocol, or exceeds a bound, gives `ProtocolBroken`, and the registration fails.
"""

from enum import StrEnum
from typing import Literal, NewType

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, AccountId, Profile
from regserver.domain.source_line import DoneLine, FailureLine, MalformedLine, NameLine, SourceLine, StepLine

RegistrationId = NewType("RegistrationId", str)
"""`u-` and a random UUID; its knowledge is the right to watch."""

UNKNOWN_TOTAL = -1
MAX_EVENTS = 10_000
MAX_TEXT_LENGTH = 2_000_000
"""Characters of all messages of one registration, since its history stays in memory."""

EventType = Literal["INFORMATION", "FAILURE", "AUTHENTICATION", "NAME"]


class LiveMessage(StrEnum):
    """The server's own messages, by the key of their text. All others are the source's."""

    NAMED = "named"
    REGISTERED = "registered"
    BROKEN = "broken"
    TOO_SLOW = "too_slow"
    STOPPING = "stopping"
    NAME_LOST = "name_lost"
    NOT_INVITED = "not_invited"
    NODE_LOST = "node_lost"


class Authentication(msgspec.Struct, frozen=True):
    """The account that was made, and its first token."""

    user_id: AccountId
    token: str


class ProgressEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the history. message: the source's text, or the key of a message of the server."""

    event_type: EventType
    step: int
    total_steps: int
    message: str | LiveMessage
    data: Profile | Authentication | None = None

    @property
    def is_last(self) -> bool:
        """Whether no event can follow."""
        return self.event_type in ("AUTHENTICATION", "FAILURE")


class ProtocolBroken(msgspec.Struct, frozen=True):
    """The source broke its protocol. detail: for the operator."""

    detail: str


class Complete(msgspec.Struct, frozen=True):
    """The source is done: the account can be made."""

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


def failure_after(last: ProgressEvent | None, message: LiveMessage) -> ProgressEvent:
    """The FAILURE of a registration whose machine is gone. last: its last event."""
    step, total = (1, UNKNOWN_TOTAL) if last is None else (last.step, last.total_steps)
    return ProgressEvent(event_type="FAILURE", step=step, total_steps=total, message=message)


class LiveProgress:
    """The machine of one registration. Only the task that reads the source uses it."""

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
        """Whether no event can follow."""
        return not TRANSITIONS[self.state]

    def take(self, line: SourceLine) -> ProgressEvent | Complete | ProtocolBroken:
        """The event of a line. `Complete` changes no state: `authenticate` does, once the account exists."""
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

    def fail(self, message: str | LiveMessage) -> ProgressEvent | None:
        """The one FAILURE; None when the registration is over."""
        return self._event("FAILURE", message) if self._enter("failure") else None

    def authenticate(self, user_id: AccountId, token: str) -> ProgressEvent | None:
        """The one AUTHENTICATION; None unless the state is "named"."""
        return self.authentication(user_id, token) if self._enter("done") else None

    def authentication(self, user_id: AccountId, token: str) -> ProgressEvent:
        """The event that `authenticate` gives; the state stays as it is."""
        return self._event("AUTHENTICATION", LiveMessage.REGISTERED, Authentication(user_id, token))

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
        given = following if line.step is None else line.step
        self._step = max(self._step, min(given, MAX_JSON_INTEGER))
        if line.total is not None and line.total > 0:
            self._total = line.total
        return self._event("INFORMATION", line.message)

    def _name(self, profile: Profile) -> ProgressEvent | ProtocolBroken:
        if not self._enter("name"):
            return ProtocolBroken(_OUT_OF_TURN["name"])
        self._profile = profile
        return self._event("NAME", LiveMessage.NAMED, profile)

    def _event(
        self, event_type: EventType, message: str | LiveMessage, data: Profile | Authentication | None = None
    ) -> ProgressEvent:
        if self._total != UNKNOWN_TOTAL:
            self._total = max(self._total, self._step)
        return ProgressEvent(
            event_type=event_type, step=self._step, total_steps=self._total, message=message, data=data
        )
