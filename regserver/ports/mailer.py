"""Sending mail."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant


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

    async def close_idle(self) -> None:
        """Closes the connection that was kept for the next mail."""
