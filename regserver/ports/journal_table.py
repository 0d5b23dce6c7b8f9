"""The ledger's journal."""

from typing import Protocol

from regserver.domain.journal import JournalEntry


class JournalTable(Protocol):
    async def last(self) -> JournalEntry | None: ...

    async def append(self, entry: JournalEntry) -> None: ...

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """Entries with numbers greater than `after`, in order."""

    async def unjournalled(self) -> str | None:
        """The userId of an account of the steps door that no entry speaks of; None when there is none."""
