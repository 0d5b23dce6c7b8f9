"""Signals: the first SIGTERM or SIGINT requests a shutdown, a further one ends it at once; others as the caller wants."""

import os
import signal
from collections.abc import Callable, Mapping

import trio

NO_ACTIONS: Mapping[signal.Signals, Callable[[], None]] = {}


async def run_signals(
    *,
    stop: Callable[[], None],
    abort: Callable[[], None],
    others: Mapping[signal.Signals, Callable[[], None]] = NO_ACTIONS,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Calls `stop` for the first SIGTERM or SIGINT, `abort` for each that follows, and what `others` has for its signals.

    Runs until cancelled; must run in the main thread. Nothing that is called may block. Signals without an action keep
    their default.
    """
    stopping = False
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, *others) as received:
        task_status.started()
        async for number in received:
            if number in others:
                others[signal.Signals(number)]()
            elif stopping:
                abort()
            else:
                stopping = True
                stop()


class Terminal:
    """The terminal that the process was started from, if it was. With SIGHUP ignored, as by nohup, there is none."""

    def __init__(self) -> None:
        self._had = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def has_gone(self) -> bool:
        """Whether there was a terminal and it is closed: the kernel takes it from its processes before it sends SIGHUP."""
        return self._had and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
