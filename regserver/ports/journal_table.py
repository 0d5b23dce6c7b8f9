"""The ledger's journal."""

from typing import Protocol

from regserver.domain.journal import JournalEntry


class JournalTable(Protocol):
    """Each entry continues the one before it: a unit that appends holds Lock.JOURNAL from its `last` on."""

    async def last(self) -> JournalEntry | None:
        """The newest entry; None when there is none."""

    async def append(self, entry: JournalEntry) -> None:
        """Writes the entry. Conflict when its number is taken or its account has one."""

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """Entries with numbers greater than `after`, in order."""

    async def unjournalled(self) -> str | None:
        """The userId of an account of the steps door that no entry records; None when there is none."""
