"""The upkeep of the file by its writer's thread, between two batches: looking at the file, folding the log in, trying anew.

    a batch → StoreCondition       what readiness and refused writers are told
    once a second, or when idle → tend:  FileWatch.look → has another process written? → fold the log into the file
                                         → try to write again after a fault

SQLite folds its log (the file -wal) into the database when it has 16 MB. Until then a plain copy of the database alone
has nothing of it. So the log is folded in when there is nothing to write, and every FOLD_SECONDS under load.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress

from regserver.store.sqlite.file_watch import FileWatch

TEND_SECONDS = 1.0
FOLD_SECONDS = 30.0
PATIENCE_SECONDS = 1.0
"""A wait for another program's lock that is shorter is nobody's concern."""


class StoreCondition:
    """What keeps the store from writing. Set by its writer's thread, read on the event loop.

    refused: why writes are refused without being tried. failed: why the last one failed. since: when that began, in seconds since
    1970. unfolded: whether the log may have something that the database does not have.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        self.failed: str | None = None
        self.since = 0.0
        self.unfolded = True
        # When the writer began to wait for the database's lock: by the system clock, and by one that nobody sets.
        self._waiting: tuple[float, float] | None = None

    def fault(self) -> str | None:
        """The fault in words for the operator, with the time since when; None if writes succeed."""
        if self.refused is not None:
            return self.refused
        if self.failed is not None:
            return f"{self.failed} (since {_clock(self.since)})"
        waiting = self._waiting
        if waiting is not None and time.monotonic() - waiting[1] > PATIENCE_SECONDS:
            return f"another program has held the database's lock since {_clock(waiting[0])}"
        return None

    def begin(self) -> None:
        """A write begins, and may have to wait for the lock."""
        self._waiting = (time.time(), time.monotonic())

    def got_lock(self) -> None:
        """The write waits no longer."""
        self._waiting = None

    def fail(self, words: str) -> None:
        """The write that was begun has failed. Of several failures in a row, the first says since when."""
        if self.failed is None:
            self.since = self._waiting[0] if self._waiting else time.time()
        self.failed = words
        self._waiting = None

    def took(self) -> None:
        """The write succeeded."""
        self.failed = self._waiting = None
        self.unfolded = True


class FileKeeper:
    """The upkeep of one file. connection: the writer's own. on_foreign: called when another process has written."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        watch: FileWatch,
        condition: StoreCondition,
        on_foreign: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._watch = watch
        self._condition = condition
        self._on_foreign = on_foreign
        self._version = 0
        self._version = self._data_version()
        self._next_look = 0.0
        self._next_fold = 0.0

    def tend(self, *, idle: bool = False) -> None:
        """Does what is due. idle: nothing waits to be written."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + TEND_SECONDS
        self._condition.refused = self._watch.look()
        if (version := self._data_version()) != self._version:
            self._version = version
            self._on_foreign()
        if self._watch.moved or (idle and self._condition.unfolded):
            # So that the file, wherever it is, is whole without its log, and the log keeps nothing that was erased.
            self._fold("TRUNCATE")
        elif self._condition.unfolded and now >= self._next_fold:
            self._next_fold = now + FOLD_SECONDS
            self._fold("PASSIVE")
        if idle and self._condition.failed is not None:
            self._try_again()

    def _data_version(self) -> int:
        """A number that changes with the commits of other connections; the only one of this process that writes is this."""
        with suppress(sqlite3.Error):  # locked or gone: the next look says so
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        return self._version

    def _fold(self, mode: str) -> None:
        if not self._condition.unfolded:
            return
        execute = self._connection.execute
        with suppress(sqlite3.Error):  # full, locked or gone: the next write says so
            (patience,) = execute("PRAGMA busy_timeout").fetchone()
            execute("PRAGMA busy_timeout=0")  # a reader that takes long must not hold the writer up
            try:
                blocked, pages, folded = execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            finally:
                execute(f"PRAGMA busy_timeout={patience}")
            self._condition.unfolded = bool(blocked) or pages != folded

    def _try_again(self) -> None:
        """Writes a number into the file's header, so that readiness returns without a client who dares to write."""
        self._condition.begin()
        try:
            self._connection.execute(f"PRAGMA user_version={int(time.time()) % 2**31}")
        except sqlite3.Error as error:
            self._condition.fail(describe(error))
        else:
            self._condition.took()


def describe(error: sqlite3.Error) -> str:
    """An error of SQLite in words for the operator."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return "another program holds the database's lock"
    return str(error)


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(seconds))
