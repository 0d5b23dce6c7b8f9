"""What systemd expects of a service: readiness, a watchdog, inherited sockets. Without systemd, all of it does nothing.

The protocols are those of sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3). All of them pass through
environment variables, which are given here as a mapping so that tests need not change the process.
"""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

import trio

_log = logging.getLogger(__name__)

_FIRST_FD: Final = 3


def sd_notify(environ: Mapping[str, str] | None = None, /, **assignments: str | int) -> bool:
    """Tells systemd something, such as READY=1, STOPPING=1 or STATUS="…". Whether there was anybody to tell.

    Never blocks and never raises: a service does not fail for want of somebody who listens.
    """
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket (unix(7))
    message = "\n".join(f"{name}={value}" for name, value in assignments.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.sendto(message.encode(), address)
        except OSError as error:
            _log.warning("systemd was not notified: %s", error)
            return False
    return True


def inherited_binds(environ: Mapping[str, str] | None = None) -> list[str]:
    """The sockets systemd passed on, as binds: "fd://3", "fd://4"…

    LISTEN_PID must be this process or its parent: the one-file binary unpacks itself in a parent process, and that is
    the one systemd started.
    """
    variables = os.environ if environ is None else environ
    count = variables.get("LISTEN_FDS", "")
    pid = variables.get("LISTEN_PID", "")
    if not count.isdecimal() or pid not in (str(os.getpid()), str(os.getppid())):
        return []
    return [f"fd://{number}" for number in range(_FIRST_FD, _FIRST_FD + int(count))]


def watchdog_seconds(environ: Mapping[str, str] | None = None) -> float:
    """How long systemd waits for a sign of life before it kills the service; 0.0 when it does not watch.

    As for LISTEN_PID, a WATCHDOG_PID that is the parent's counts.
    """
    variables = os.environ if environ is None else environ
    microseconds = variables.get("WATCHDOG_USEC", "")
    pid = variables.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (pid and pid not in (str(os.getpid()), str(os.getppid()))):
        return 0.0
    return int(microseconds) / 1e6


async def run_watchdog(environ: Mapping[str, str] | None = None) -> None:
    """Gives a sign of life twice per watchdog time, until cancelled: proof that the event loop turns.

    Returns at once when systemd does not watch.
    """
    seconds = watchdog_seconds(environ)
    if not seconds:
        return
    while True:
        sd_notify(environ, WATCHDOG=1)
        await trio.sleep(seconds / 2)
