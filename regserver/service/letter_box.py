"""The last messages that a server for trying out would have sent. They are in memory, and gone with the process."""

from collections import deque
from collections.abc import Sequence
from typing import Literal

import msgspec

from regserver.domain.instant import Instant
from regserver.ports.clock import Clock

MOST_LETTERS = 50
MOST_CHARACTERS = 20_000
"""Of one text."""


class Letter(msgspec.Struct, frozen=True):
    """One message. number: rises from 1. subject: "" for an SMS."""

    number: int
    kind: Literal["mail", "sms"]
    to: str
    subject: str
    text: str
    at: Instant


class LetterBox:
    """Keeps the newest MOST_LETTERS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[Letter] = deque(maxlen=MOST_LETTERS)
        self._count = 0

    def keep_mail(self, to: str, subject: str, text: str) -> None:
        """Keeps a mail."""
        self._keep("mail", to, subject, text)

    def keep_sms(self, to: str, text: str) -> None:
        """Keeps an SMS."""
        self._keep("sms", to, "", text)

    def _keep(self, kind: Literal["mail", "sms"], to: str, subject: str, text: str) -> None:
        self._count += 1
        kept = text[:MOST_CHARACTERS]
        self._letters.append(Letter(self._count, kind, to, subject, kept, self._clock.now()))

    def letters(self) -> Sequence[Letter]:
        """All that are kept, the newest first."""
        return tuple(reversed(self._letters))
