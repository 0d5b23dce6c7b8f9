"""A dump of the store: one file that has everything, as of one moment. It is what a backup is made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

StillWanted = Callable[[], None]
"""Called now and then in long work; it raises when the work is to end."""


class DumpFacts(msgspec.Struct, frozen=True):
    """What a dump has. schema: its version. entries: of the ledger's journal. last_hash: of the last one, in hex; "" for none."""

    schema: int
    entries: int
    last_hash: str


class StoreDump(Protocol):
    """Dumps one store, also while servers write to it. member: the name of the dump in an archive. All methods block."""

    member: str

    def size(self) -> int:
        """About how many bytes a dump has. Raises StoreFault."""

    def write(self, target: Path, alive: StillWanted) -> DumpFacts:
        """Writes the dump to a new file, and checks that it is whole. Raises StoreFault, and what `alive` raises."""
