"""Signals: the first SIGTERM or SIGINT requests a shutdown, a further one ends it at once."""

import signal
from collections.abc import Callable

import trio


async def run_signals(
    *,
    stop: Callable[[], None],
    abort: Callable[[], None],
    reload: Callable[[], None] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Calls `stop` for the first SIGTERM or SIGINT, `abort` for each that follows, `reload` for SIGHUP.

    Runs until cancelled; must run in the main thread. None of the three may block. Without `reload`, SIGHUP keeps its
    default, which ends the process.
    """
    watched = [signal.SIGTERM, signal.SIGINT]
    if reload is not None:
        watched.append(signal.SIGHUP)
    stopping = False
    with trio.open_signal_receiver(*watched) as received:
        task_status.started()
        async for number in received:
            if number == signal.SIGHUP:
                if reload is not None:
                    reload()
            elif stopping:
                abort()
            else:
                stopping = True
                stop()
