"""The audit, written in the unit of the change itself.

transaction.audit.note(AuditNote(…))      in the unit of work, any number of times
the end of the unit                       the rows are written, after all else
"""

import secrets
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.audit import AuditChain, AuditMark, AuditNote, AuditRow
from regserver.domain.instant import Instant
from regserver.ports.clock import machine_time

asked_from: ContextVar[str | None] = ContextVar("asked_from", default=None)
"""The address of the client whose request is being answered; None for the server's own work."""


class AuditPen(msgspec.Struct, frozen=True):
    """What rows are written with. Without the server's key they are written so that a verification names them."""

    chain: AuditChain = AuditChain(b"")
    now: Callable[[], Instant] = machine_time
    draw: Callable[[int], bytes] = secrets.token_bytes


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are listed, the newest first. before: a number; None for the last ones."""

    before: int | None = None
    account: AccountId | None = None
    action: str | None = None


class AuditTable(Protocol):
    """Rows are numbered in the order of commits, without gaps: whoever reads on by number misses nothing."""

    def by(self, actor: str) -> None:
        """Who acts in this unit, where it is not the client of a request or the server itself."""

    def note(self, note: AuditNote) -> None:
        """Keeps the note for the end of the unit."""

    async def newest(self, wanted: AuditFilter, limit: int) -> tuple[AuditRow, ...]:
        """The newest rows, the newest first."""

    async def page(self, after: int, limit: int) -> tuple[AuditRow, ...]:
        """The rows after a number, in order."""

    async def marks(self) -> tuple[AuditMark | None, AuditMark | None]:
        """Anchor and head; None where nothing was trimmed, or written."""

    async def trim(self, before: Instant, limit: int) -> int:
        """Removes rows of before this instant from the beginning, at most `limit`, and moves the anchor. Returns how many.

        Takes Lock.AUDIT.
        """
