"""A source of live registrations: it verifies people and streams the progress of their data."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NewType, Protocol

import msgspec

from regserver.domain.source_line import SourceLine

Subject = NewType("Subject", str)
"""How a source calls a person."""


class Accepted(msgspec.Struct, frozen=True):
    """The source knows these credentials."""

    subject: Subject


class Rejected(msgspec.Struct, frozen=True):
    """Unknown user or wrong password."""


class Unavailable(msgspec.Struct, frozen=True):
    """The source cannot say. detail: for the operator's log, never for the user."""

    detail: str


Verdict = Accepted | Rejected | Unavailable


class Source(Protocol):
    """Where the slow data of live registrations lives."""

    async def verify(self, username: str, password: str) -> Verdict:
        """Whether the source knows this person by these credentials; bounded in time."""

    def profile(self, subject: Subject) -> AbstractAsyncContextManager[AsyncIterator[SourceLine]]:
        """Opens the stream of progress; the lines end with one that says so, or the stream was cut.

        The iterator may raise SourceFault. Leaving the context ends whatever still runs.
        """


class SourceFault(Exception):
    """The stream of a source broke; the message is for the operator's log."""
