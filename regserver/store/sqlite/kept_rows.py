"""What the writer has read by statements of class Kept, with which nearly every writing unit begins: who asks, and may they?

    unit → get → found before                                      no statement is run
               → not found, or dropped → the statement → keep

There is one writing connection, so what it has read holds until a unit changes one of the tables, a transaction is rolled back,
or another process writes. All three are known before the next unit reads: the first by the text of each change, the last by
the file's data_version, which is asked for when the writer has the database's lock.
"""

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from regserver.store.sql.statement import Kept

MOST_KEPT = 4096
"""Rows of one statement, some 4 MB at most."""
MOST_STATEMENTS = 1024
"""Texts of changes whose tables are remembered."""

_WORD = re.compile(r"\w+")


class KeptRows:
    """Used by the writer's thread alone. connection: its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._found: dict[Kept[Any], dict[tuple[object, ...], Any]] = {}
        self._version = -1
        self._harmless: set[str] = set()  # texts that change nothing of what is kept
        # The words of a text are looked for once; a table that it names may be one that it changes.
        self._words = lru_cache(MOST_STATEMENTS)(lambda statement: frozenset(_WORD.findall(statement)))

    def begin(self) -> None:
        """A transaction has begun, and no other process writes until it ends."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self.clear()

    def get(self, kept: Kept[Any], parameters: tuple[object, ...]) -> Any:
        """What was found; None where nothing is kept."""
        found = self._found.get(kept)
        return None if found is None else found.get(parameters)

    def keep(self, kept: Kept[Any], parameters: tuple[object, ...], value: object) -> None:
        """Keeps it in place of what has been kept longest, where there is too much."""
        found = self._found.get(kept)
        if found is None:
            found = self._found[kept] = {}
            self._harmless.clear()
        if len(found) >= MOST_KEPT:
            del found[next(iter(found))]
        found[parameters] = value

    def execute(self, statement: str, parameters: Sequence[object]) -> sqlite3.Cursor:
        """Runs a statement of a unit; if it may change something, what comes from a table that it names is dropped."""
        if statement not in self._harmless:
            self._change(statement)
        return self._connection.execute(statement, parameters)

    def execute_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> sqlite3.Cursor:
        """The same, once for each set of parameters."""
        self._change(statement)
        return self._connection.executemany(statement, parameters)

    def _change(self, statement: str) -> None:
        words = frozenset[str]() if statement.startswith("SELECT") else self._words(statement)
        changed = [kept for kept in self._found if not words.isdisjoint(kept.tables)]
        for kept in changed:
            del self._found[kept]
        if not changed and len(self._harmless) < MOST_STATEMENTS:
            self._harmless.add(statement)

    def clear(self) -> None:
        """What was read may never have been committed."""
        self._found.clear()
