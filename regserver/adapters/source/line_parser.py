"""Parsing one line of a source: untrusted JSON (docs/live.md).

A line outside the protocol becomes a `MalformedLine`, whose detail does not repeat the line: it may contain anything.
"""

import re
from typing import Annotated, Literal

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, Profile
from regserver.domain.source_line import DoneLine, FailureLine, MalformedLine, NameLine, SourceLine, StepLine

MAX_LINE_BYTES = 64 * 1024
MAX_MESSAGE_LENGTH = 1000
MAX_NAME_LENGTH = 256

_RAW_SHOWN = 200
_Count = Annotated[int, msgspec.Meta(ge=-MAX_JSON_INTEGER, le=MAX_JSON_INTEGER)]
_NamePart = Annotated[str, msgspec.Meta(max_length=MAX_NAME_LENGTH)]


class _NameOnWire(msgspec.Struct, frozen=True, rename="camel"):
    first_name: _NamePart | None = None
    last_name: _NamePart | None = None
    middle_name: _NamePart | None = None


class _LineOnWire(msgspec.Struct, frozen=True, rename="camel"):
    step: _Count | None = None
    total_steps: _Count | None = None
    message: str | None = None
    name: _NameOnWire | None = None
    failure: str | None = None
    done: Literal[True] | None = None
    messages: dict[str, str] | None = None


_decoder = msgspec.json.Decoder(_LineOnWire)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def parse_line(line: bytes) -> SourceLine:
    """The parsed line. Unknown keys are ignored; a line with several meanings is malformed.

    line: without its line feed. Never raises.
    """
    if len(line) > MAX_LINE_BYTES:
        return too_long(line)
    try:
        wire = _decoder.decode(line)
    except msgspec.ValidationError as error:
        return MalformedLine(str(error), line[:_RAW_SHOWN])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return MalformedLine("not JSON in UTF-8", line[:_RAW_SHOWN])
    given = [key for key in ("message", "name", "failure", "done") if getattr(wire, key) is not None]
    if len(given) != 1:
        detail = f"expected one of message, name, failure, done, not {' and '.join(given) or 'none'}"
        return MalformedLine(detail, line[:_RAW_SHOWN])
    return _read(wire, line)


def too_long(line: bytes) -> MalformedLine:
    """A line longer than MAX_LINE_BYTES. line: its beginning."""
    return MalformedLine(f"a line of more than {MAX_LINE_BYTES} bytes", line[:_RAW_SHOWN])


def _name(name: _NameOnWire, line: bytes) -> NameLine | MalformedLine:
    """People may have one name; the other is then empty, as it is on the wire."""
    first, last = name.first_name or "", name.last_name or ""
    if not first and not last:
        return MalformedLine("expected firstName, lastName or both", line[:_RAW_SHOWN])
    if "\0" in first + last + (name.middle_name or ""):  # not every store can write it
        return MalformedLine("a NUL in a name", line[:_RAW_SHOWN])
    return NameLine(Profile(first_name=first, middle_name=name.middle_name, last_name=last))


def _read(wire: _LineOnWire, line: bytes) -> SourceLine:
    if wire.failure is not None:
        return FailureLine(_clean(wire.failure), _cleaned(wire.messages))
    if wire.name is not None:
        return _name(wire.name, line)
    if wire.message is not None:
        return StepLine(_clean(wire.message), wire.step, wire.total_steps, _cleaned(wire.messages))
    return DoneLine()


def _cleaned(messages: dict[str, str] | None) -> dict[str, str]:
    return {language: _clean(text) for language, text in (messages or {}).items()}


def _clean(message: str) -> str:
    """The message as one line of bounded length, without control characters."""
    return _UNSEEN.sub(" ", message[: 2 * MAX_MESSAGE_LENGTH])[:MAX_MESSAGE_LENGTH]
