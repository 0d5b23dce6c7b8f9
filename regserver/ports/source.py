"""A source of live registrations: it verifies credentials, and streams people's data with its progress."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NewType, Protocol

import msgspec

from regserver.domain.source_line import SourceLine

Subject = NewType("Subject", str)
"""A source's id of a person."""


class Accepted(msgspec.Struct, frozen=True):
    """The source knows these credentials."""

    subject: Subject


class Rejected(msgspec.Struct, frozen=True):
    """Unknown user or wrong password."""


class Unavailable(msgspec.Struct, frozen=True):
    """The source cannot tell. detail: for the operator's log, never for the user."""

    detail: str


Verdict = Accepted | Rejected | Unavailable


class Source(Protocol):
    """A data source, which may be slow. people: everybody whom it knows, each called by their id; None where it cannot list
    them. Their names are reserved.
    """

    people: Sequence[Subject] | None = None

    async def verify(self, username: str, password: str) -> Verdict:
        """Whether the source accepts these credentials; bounded in time."""

    def profile(self, subject: Subject) -> AbstractAsyncContextManager[AsyncIterator[SourceLine]]:
        """Opens the stream of the person's lines. One that ends without DoneLine or FailureLine was cut.

        The iterator may raise SourceFault. Leaving the context ends the stream and its processes.
        """


class SourceFault(Exception):
    """The stream of a source broke; the message is for the operator's log."""
