"""Sending mail."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person, ready to be rendered as MIME.

    good_until: when its link or code expires; it is not sent afterwards.
    id, written_at: set by the outbox; the same at every attempt, so that a receiver recognises a repetition.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    good_until: Instant | None = None
    id: str = ""
    written_at: Instant = Instant(0)


class MailFault(Exception):
    """The mail was not accepted. The text is for the operator, and contains nothing of the message.

    permanent: a further attempt is pointless.
    server: the fault concerns the mail server or the connection, not this message.
    """

    def __init__(self, detail: str, *, permanent: bool = False, server: bool = False) -> None:
        super().__init__(detail)
        self.permanent = permanent
        self.server = server


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Sends the mail; returns when it was accepted. Raises MailFault. Bounded in time.

        If the mail was accepted before a cancellation, it returns as usual.
        """

    async def close_idle(self) -> None:
        """Closes idle connections."""
