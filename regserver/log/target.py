"""What log lines are written to: a descriptor, which may be opened anew when its file has been moved.

Writing may block for as long as the reader pleases, so only the thread of `sink` does it.
"""

import contextlib
import os
import select
import stat
import sys
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

_NEW_FILE_MODE = 0o640
_STANDARD_ERROR = 2


class LogTarget:
    """descriptor: written to, never closed. path: where it is opened anew; None for what is no regular file."""

    def __init__(self, descriptor: int, path: Path | None = None) -> None:
        self._descriptor = descriptor
        self._path = path
        self._cut = False  # the last write ended inside a line

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads along."""
        return os.isatty(self._descriptor)

    def write(self, lines: Sequence[str]) -> int:
        """Writes lines, each with its end; returns how many went out whole. Errors are swallowed: nobody could read them."""
        encoded = [line.encode("utf-8", "backslashreplace") for line in lines]
        begin = b"\n" if self._cut else b""
        data, done = memoryview(begin + b"".join(encoded)), 0
        with contextlib.suppress(OSError):
            while done < len(data):
                done += self._write_some(data[done:])
        ends = list(accumulate(map(len, encoded), initial=len(begin)))
        if done:
            self._cut = done not in ends
        return max(0, bisect_right(ends, done) - 1)

    def _write_some(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # another process of the terminal has made it non-blocking
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLOUT)
            waiting.poll()
            return 0

    def reopen(self) -> None:
        """Opens the file anew if another one, or none, is at its path. Raises OSError, and then the present one stays."""
        if self._path is None or self._is_in_place(self._path):
            return
        mode = stat.S_IMODE(os.fstat(self._descriptor).st_mode)
        opened = _open(self._path, mode)
        try:
            os.dup2(opened, self._descriptor, inheritable=self._descriptor == _STANDARD_ERROR)
        finally:
            os.close(opened)
        self._cut = False

    def _is_in_place(self, path: Path) -> bool:
        try:
            return os.path.samestat(path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


def standard_error() -> LogTarget:
    """Standard error. Redirected to a file, it is opened anew where that file is now."""
    if sys.stderr is None or sys.stderr.closed:  # the next file that is opened gets its number
        return LogTarget(os.open(os.devnull, os.O_WRONLY))
    descriptor = sys.stderr.fileno()
    path = None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        with contextlib.suppress(OSError):  # without /proc
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
    return LogTarget(descriptor, path)


def log_file(path: Path) -> LogTarget:
    """A file, appended to, and made unless it is there. Raises OSError."""
    return LogTarget(_open(path, _NEW_FILE_MODE), path)


def _open(path: Path, mode: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, mode)
