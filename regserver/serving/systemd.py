"""systemd's interfaces: readiness, watchdog, inherited sockets. Without systemd, all of these do nothing.

The protocols are sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3). They use environment variables; `environ`
replaces the process's own in tests.
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
    """Notifies systemd, such as READY=1, STOPPING=1 or STATUS="…"; returns whether it was notified.

    Never blocks or raises: a service must not fail because of a notification.
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
    """The sockets from systemd, as binds: "fd://3", "fd://4"…

    LISTEN_PID must be this process or its parent: a unit may start the server by a wrapper.
    """
    variables = os.environ if environ is None else environ
    count = variables.get("LISTEN_FDS", "")
    pid = variables.get("LISTEN_PID", "")
    if not count.isdecimal() or pid not in (str(os.getpid()), str(os.getppid())):
        return []
    return [f"fd://{number}" for number in range(_FIRST_FD, _FIRST_FD + int(count))]


def watchdog_seconds(environ: Mapping[str, str] | None = None) -> float:
    """Seconds without a notification after which systemd kills the service; 0.0 without a watchdog.

    Like LISTEN_PID, WATCHDOG_PID may be the parent's.
    """
    variables = os.environ if environ is None else environ
    microseconds = variables.get("WATCHDOG_USEC", "")
    pid = variables.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (pid and pid not in (str(os.getpid()), str(os.getppid()))):
        return 0.0
    return int(microseconds) / 1e6


async def run_watchdog(environ: Mapping[str, str] | None = None) -> None:
    """Notifies the watchdog twice per watchdog time, until cancelled. A blocked event loop stops it.

    Returns at once without a watchdog.
    """
    seconds = watchdog_seconds(environ)
    if not seconds:
        return
    while True:
        sd_notify(environ, WATCHDOG=1)
        await trio.sleep(seconds / 2)
