"""What a source of live registrations says: lines of JSON, read without trust.

A line is one of four things: progress, a name, a failure, the end. Whatever else comes is `Malformed`, with words for
the operator that do not repeat it: it may hold anything.
"""

import re
from typing import Annotated, Literal, NewType

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, Profile

RegistrationId = NewType("RegistrationId", str)
"""`u-` and a random UUID; knowing it is the right to watch."""

MAX_LINE_BYTES = 64 * 1024
MAX_MESSAGE_LENGTH = 1000
MAX_NAME_LENGTH = 256


class StepLine(msgspec.Struct, frozen=True):
    """Progress. total: None when the source did not say."""

    message: str
    step: int | None = None
    total: int | None = None


class NameLine(msgspec.Struct, frozen=True):
    profile: Profile


class FailureLine(msgspec.Struct, frozen=True):
    """The source gives up; the message is meant for the user."""

    message: str


class DoneLine(msgspec.Struct, frozen=True):
    """Everything was said."""


class MalformedLine(msgspec.Struct, frozen=True):
    """Not a line of the protocol. detail: for the operator. raw: its beginning, for a terminal and never for a log."""

    detail: str
    raw: bytes = b""


SourceLine = StepLine | NameLine | FailureLine | DoneLine | MalformedLine

_RAW_SHOWN = 200
_Count = Annotated[int, msgspec.Meta(ge=-MAX_JSON_INTEGER, le=MAX_JSON_INTEGER)]
_NamePart = Annotated[str, msgspec.Meta(max_length=MAX_NAME_LENGTH)]


class _NameOnWire(msgspec.Struct, frozen=True, rename="camel"):
    first_name: _NamePart
    last_name: _NamePart
    middle_name: _NamePart | None = None


class _LineOnWire(msgspec.Struct, frozen=True, rename="camel"):
    step: _Count | None = None
    total_steps: _Count | None = None
    message: str | None = None
    name: _NameOnWire | None = None
    failure: str | None = None
    done: Literal[True] | None = None


_decoder = msgspec.json.Decoder(_LineOnWire)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def parse_line(line: bytes) -> SourceLine:
    """One NDJSON line of a source (contract, section 1). Unknown keys are ignored, several things at once are not."""
    if len(line) > MAX_LINE_BYTES:
        return too_long(line)
    try:
        wire = _decoder.decode(line)
    except msgspec.ValidationError as error:
        return MalformedLine(str(error), line[:_RAW_SHOWN])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return MalformedLine("not JSON in UTF-8", line[:_RAW_SHOWN])
    said = [key for key in ("message", "name", "failure", "done") if getattr(wire, key) is not None]
    if len(said) != 1:
        return MalformedLine(
            f"expected one of message, name, failure, done, not {' and '.join(said) or 'none'}",
            line[:_RAW_SHOWN],
        )
    return _read(wire)


def too_long(line: bytes) -> MalformedLine:
    """What a line is that was cut off at MAX_LINE_BYTES."""
    return MalformedLine(f"a line of more than {MAX_LINE_BYTES} bytes", line[:_RAW_SHOWN])


def _read(wire: _LineOnWire) -> SourceLine:
    if wire.failure is not None:
        return FailureLine(_shown(wire.failure))
    if wire.name is not None:
        name = wire.name
        return NameLine(
            Profile(first_name=name.first_name, middle_name=name.middle_name, last_name=name.last_name)
        )
    if wire.message is not None:
        return StepLine(_shown(wire.message), wire.step, wire.total_steps)
    return DoneLine()


def _shown(message: str) -> str:
    """As it may stand before a user: one line of bounded length, without control characters."""
    return _UNSEEN.sub(" ", message[: 2 * MAX_MESSAGE_LENGTH])[:MAX_MESSAGE_LENGTH]
