"""The thread that writes the log, so that a reader that stalls, or a disk that is full, holds nobody up.

`put` never blocks. Lines wait in memory up to MAX_WAITING characters. Past it, and when the target refuses them, they are
dropped and counted, and a line says how many as soon as the target takes lines again. Order is kept: once a line is
dropped, all are until the thread has taken the waiting ones.

A process that is killed loses the lines that wait: after a stall up to MAX_WAITING characters, else a few milliseconds'.
"""

import threading
from collections.abc import Callable, Sequence

from regserver.log.target import LogTarget

MAX_WAITING = 1 << 20
"""Characters. At most as many again are with the thread."""
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 2.0


class LogSink:
    """target: gets the lines. notice: makes a line of the log from a message of the sink itself."""

    def __init__(self, target: LogTarget, notice: Callable[[str], str]) -> None:
        self._target = target
        self._notice = notice
        self._lines: list[str] = []
        self._size = 0
        self._dropped = 0  # since the lines that wait
        self._untold = 0  # lost, and no line says so yet; the thread's own
        self._lost = 0  # told or not; the thread's own
        self._reopen = self._closing = False
        # Reentrant: a finalizer that logs may run while the lock is held.
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """The lines dropped since the start."""
        return self._lost + self._dropped

    def put(self, lines: Sequence[str]) -> None:
        """Hands lines over, each with its end. Never blocks, from any thread."""
        size = sum(map(len, lines))
        with self._changed:
            if self._dropped or self._size + size > MAX_WAITING:
                self._dropped += len(lines)
            else:
                self._lines += lines
                self._size += size
            self._changed.notify()

    def reopen_nowait(self) -> None:
        """Requests that the file be opened anew if it has been moved."""
        with self._changed:
            self._reopen = True
            self._changed.notify()

    def close(self) -> bool:
        """Writes what waits and ends; returns whether it did so in CLOSE_SECONDS."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        ended = False
        while not ended:
            with self._changed:
                self._changed.wait_for(self._is_wanted, RETRY_SECONDS if self._untold else None)
                lines, dropped, ended = self._lines, self._dropped, self._closing
                self._lines, self._size, self._dropped = [], 0, 0
                self._lost += dropped
                reopen, self._reopen = self._reopen, False
            if reopen:
                self._open_anew()
            self._write(lines, dropped)

    def _is_wanted(self) -> bool:
        return bool(self._lines or self._dropped or self._reopen or self._closing)

    def _write(self, lines: list[str], dropped: int) -> None:
        written = self._target.write(lines) if self._tell() else 0
        self._lost += len(lines) - written
        self._untold += len(lines) - written + dropped
        if dropped:
            self._tell()

    def _tell(self) -> bool:
        """Writes how many lines are lost, if any are; returns whether the target took it."""
        if not self._untold:
            return True
        if self._target.write((self._notice(f"{self._untold} lines lost"),)):
            self._untold = 0
        return not self._untold

    def _open_anew(self) -> None:
        try:
            self._target.reopen()
        except OSError as error:
            self._target.write((self._notice(f"the log file cannot be opened anew: {error}"),))
