"""The ledger's journal."""

from typing import Protocol

from regserver.domain.journal import JournalEntry, JournalHead


class JournalTable(Protocol):
    """Each entry continues the head: a unit that appends holds Lock.JOURNAL since before it calls `head`."""

    async def head(self) -> JournalHead | None:
        """The sealed end of the journal; None before the first seal."""

    async def set_head(self, head: JournalHead) -> None:
        """Replaces the head."""

    async def last(self) -> JournalEntry | None:
        """The newest entry, or None."""

    async def append(self, entry: JournalEntry) -> None:
        """Writes the entry. Conflict when its number is taken or its account has one."""

    async def of_user(self, user_id: str) -> JournalEntry | None:
        """The entry of an account."""

    async def replace(self, entry: JournalEntry) -> None:
        """Writes the entry in the place of the one with its number."""

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """The first `limit` entries with numbers greater than `after`, in order."""

    async def unjournalled(self) -> str | None:
        """The userId of an account of the steps door without an entry; None when all have one."""
