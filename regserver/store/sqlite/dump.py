"""A dump of the embedded store: a copy of its file."""

from pathlib import Path

from regserver.ports.store import StoreFault
from regserver.ports.store_dump import DumpFacts, StillWanted, StoreDump
from regserver.store.sqlite.copy import copy_database, inspect_database, ledger_end, log_file

MEMBER = "regserver.db"


class SqliteDump(StoreDump):
    """Dumps one database."""

    member = MEMBER

    def __init__(self, database: Path) -> None:
        self._database = database

    def size(self) -> int:
        """The file's, and that of its log, which may have new pages. Raises StoreFault."""
        parts = (self._database, log_file(self._database))
        try:
            return sum(part.stat().st_size for part in parts if part.exists())
        except OSError as error:
            raise StoreFault(f"{self._database}: {error.strerror}") from None

    def write(self, target: Path, alive: StillWanted) -> DumpFacts:
        """Writes a copy, and checks it. Raises StoreFault, and what `alive` raises."""
        copy_database(self._database, target, alive)
        return inspect_copy(target)


def inspect_copy(path: Path) -> DumpFacts:
    """What a copy has. Raises StoreFault unless it is whole."""
    return DumpFacts(inspect_database(path), *ledger_end(path))
