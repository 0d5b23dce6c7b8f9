"""Sources of live registrations. One module each, and one line in this table (chosen by [live] source)."""

from collections.abc import Callable

from regserver.adapters.source.roster import open_roster
from regserver.config import Loaded
from regserver.ports.adapter import PasswordHasher, Source

SOURCES: dict[str, Callable[[Loaded, PasswordHasher], Source | None]] = {
    "file": open_roster,
    "none": lambda loaded, hasher: None,
}
