"""The outside world: clock and randomness, password hashing, sources of live registrations, mail and SMS."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Literal, NewType, Protocol

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.source_line import SourceLine


class Clock(Protocol):
    def now(self) -> Instant:
        """Wall-clock time."""


class Randomness(Protocol):
    def bytes(self, count: int) -> bytes:
        """`count` bytes from a cryptographic generator."""

    def below(self, bound: int) -> int:
        """A uniform integer, 0 <= n < bound."""


class PasswordHasher(Protocol):
    """Slow by design: every method waits for a place among a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """The encoded hash, with its parameters and salt."""

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Whether the password is the one that was hashed; None costs the same time and is False."""

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made at another cost than new ones are."""
        return False


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

    async def verify(self, username: str, password: str) -> Verdict: ...

    def profile(self, subject: Subject) -> AbstractAsyncContextManager[AsyncIterator[SourceLine]]:
        """Opens the stream of progress; the lines end with one that says so, or the stream was cut.

        The iterator may raise SourceFault. Leaving the context ends whatever still runs.
        """


class SourceFault(Exception):
    """The stream of a source broke; the message is for the operator's log."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person, ready to be rendered as MIME.

    good_until: afterwards it is of no use to its reader (its link or code has expired), so it is not sent any more.
    id, written_at: set by the outbox; the same at every attempt, so that a receiver can tell a repetition.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    good_until: Instant | None = None
    id: str = ""
    written_at: Instant = Instant(0)


class MailFault(Exception):
    """The mail was not taken. The text is for the operator, and holds nothing of the message.

    permanent: trying this message again is pointless.
    server: the fault lies with the mail server or the way to it, not with this message.
    """

    def __init__(self, detail: str, *, permanent: bool = False, server: bool = False) -> None:
        super().__init__(detail)
        self.permanent = permanent
        self.server = server


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hands the mail over; returns when it was accepted. Raises MailFault.

        When cancelled it still returns if the mail was accepted by then. It ends in bounded time.
        """

    async def rest(self) -> None:
        """Nothing more is to be sent for now: gives up what was kept for the next mail."""


LetterName = Literal["confirm", "email_taken", "name_taken"]
"""What mail is written for: to confirm a sign-up; and, where sign-up must not tell strangers who is here, to tell the
owner of the mailbox why theirs came to nothing."""


class Letters(Protocol):
    """Writes mails from templates."""

    def write(
        self,
        letter: LetterName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """values: what the template puts into its text, such as the person's name and link."""


class SmsFault(Exception):
    """The message was not sent; the text is for the operator's log."""


class Sms(Protocol):
    async def send(self, phone: str, text: str) -> None:
        """Sends to an E.164 number; returns when the provider accepted it. Raises SmsFault."""
