"""The lines of a source of live registrations: progress, a name, a failure, the end, or something malformed."""

from collections.abc import Mapping

import msgspec

from regserver.domain.account import Profile


class StepLine(msgspec.Struct, frozen=True):
    """Progress. step, total: None when the source did not send them. messages: language → the message, where the source has it."""

    message: str
    step: int | None = None
    total: int | None = None
    messages: Mapping[str, str] = {}


class NameLine(msgspec.Struct, frozen=True):
    """The person's names."""

    profile: Profile


class FailureLine(msgspec.Struct, frozen=True):
    """The source gives up; the message is meant for the user. messages: as in a StepLine."""

    message: str
    messages: Mapping[str, str] = {}


class DoneLine(msgspec.Struct, frozen=True):
    """The source is done."""


class MalformedLine(msgspec.Struct, frozen=True):
    """Not a line of the protocol. detail: for the operator. raw: its beginning, for a terminal, never for a log."""

    detail: str
    raw: bytes = b""


SourceLine = StepLine | NameLine | FailureLine | DoneLine | MalformedLine


def in_language(line: SourceLine, language: str) -> SourceLine:
    """The line with its message in this language, where the source has one."""
    if isinstance(line, StepLine | FailureLine) and (message := line.messages.get(language)) is not None:
        return msgspec.structs.replace(line, message=message)
    return line
