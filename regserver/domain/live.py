"""Live registration: what a source may say, what observers see, and how the one becomes the other.

A source's lines are foreign input: `parse_line` accepts exactly the documented forms, and `Progress` keeps the promises
of the wire (steps start at 1 and never go back, the total is -1 until it is known) whatever the lines say.
"""

from typing import Annotated, Literal, NewType

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, Profile

RegistrationId = NewType("RegistrationId", str)
"""`u-` and a random UUID; knowing it is the right to watch."""

MAX_LINE_BYTES = 64 * 1024
MAX_MESSAGE_LENGTH = 1000
UNKNOWN_TOTAL = -1


# --- what a source says
class Step(msgspec.Struct, frozen=True):
    """Progress. total: None when the source did not say."""

    message: str
    step: int | None = None
    total: int | None = None


class Named(msgspec.Struct, frozen=True):
    profile: Profile


class Failed(msgspec.Struct, frozen=True):
    """The source gives up; the message is meant for the user."""

    message: str


class Finished(msgspec.Struct, frozen=True):
    """Everything was said."""


class Malformed(msgspec.Struct, frozen=True):
    """Not a line of the protocol. detail: for the operator; it never repeats the line."""

    detail: str


Line = Step | Named | Failed | Finished | Malformed

_Count = Annotated[int, msgspec.Meta(ge=-MAX_JSON_INTEGER, le=MAX_JSON_INTEGER)]


class _NameOnWire(msgspec.Struct, frozen=True, rename="camel"):
    first_name: str
    last_name: str
    middle_name: str | None = None


class _LineOnWire(msgspec.Struct, frozen=True, rename="camel"):
    step: _Count | None = None
    total_steps: _Count | None = None
    message: str | None = None
    name: _NameOnWire | None = None
    failure: str | None = None
    done: Literal[True] | None = None


_decoder = msgspec.json.Decoder(_LineOnWire)


def parse_line(line: bytes) -> Line:
    """One NDJSON line of a source (contract, section 1). Unknown keys are ignored."""
    if len(line) > MAX_LINE_BYTES:
        return Malformed(f"a line of more than {MAX_LINE_BYTES} bytes")
    try:
        wire = _decoder.decode(line)
    except msgspec.ValidationError as error:
        return Malformed(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Malformed("not JSON in UTF-8")
    if wire.failure is not None:
        return Failed(_shown(wire.failure))
    if wire.done is not None:
        return Finished()
    if wire.name is not None:
        name = wire.name
        return Named(
            Profile(first_name=name.first_name, middle_name=name.middle_name, last_name=name.last_name)
        )
    if wire.message is not None:
        return Step(_shown(wire.message), wire.step, wire.total_steps)
    return Malformed("none of message, name, failure, done")


def _shown(message: str) -> str:
    return message[:MAX_MESSAGE_LENGTH]


# --- what observers see
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


class Event(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One frame, with exactly the seed's keys."""

    event_type: EventType
    step: int
    total_steps: int
    message: str
    additional_data: Nothing | NameData | Authentication = Nothing()


class Progress:
    """How far one registration is, from its observers' point of view. Not shared between tasks."""

    def __init__(self) -> None:
        self._step = 0
        self._total = UNKNOWN_TOTAL

    def step(self, line: Step) -> Event:
        """A step as it is shown: at the highest number so far, within what the wire can carry."""
        said = self._step + 1 if line.step is None else line.step
        self._step = max(1, self._step, min(said, MAX_JSON_INTEGER))
        if line.total is not None and line.total > 0:
            self._total = line.total
        return self._event("INFORMATION", line.message)

    def name(self, profile: Profile, message: str) -> Event:
        data = NameData(profile.first_name, profile.middle_name, profile.last_name)
        return self._event("NAME", message, data)

    def failure(self, message: str) -> Event:
        return self._event("FAILURE", message)

    def authentication(self, user_id: int, token: str, message: str) -> Event:
        return self._event("AUTHENTICATION", message, Authentication(user_id, token))

    def _event(
        self,
        kind: EventType,
        message: str,
        data: Nothing | NameData | Authentication = Nothing(),  # noqa: B008
    ) -> Event:
        self._step = max(1, self._step)
        if self._total != UNKNOWN_TOTAL:
            self._total = max(self._total, self._step)
        return Event(
            event_type=kind, step=self._step, total_steps=self._total, message=message, additional_data=data
        )


# --- the machine of one job, as data
JobState = Literal["running", "named", "registered", "failed"]
JobEvent = Literal["step", "name", "done", "failure"]

TRANSITIONS: dict[JobState, dict[JobEvent, JobState]] = {
    "running": {"step": "running", "name": "named", "failure": "failed"},
    "named": {"step": "named", "done": "registered", "failure": "failed"},
    "registered": {},
    "failed": {},
}
"""A missing entry is the source breaking its own protocol (a second name, done before the name): the job fails."""
