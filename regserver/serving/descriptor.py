"""File descriptors: each connection takes one, and the system limits their number."""

import resource
import sys
from typing import Final

# For the store, mail and other files: without a free descriptor the server could not work.
_SPARE: Final = 128


def raise_limit(connections: int) -> None:
    """Raises the soft limit to the number that these connections need, at most to the hard limit.

    The soft limit is often 1,024, for programs that use select(2). It belongs to the process, so only the program's start
    calls this.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_within(limit: int) -> int:
    """The number of connections that a limit on open files allows."""
    return sys.maxsize if limit == resource.RLIM_INFINITY else max(1, limit - _SPARE)


def connections_now() -> int:
    """The number of connections that the present soft limit allows."""
    return connections_within(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def connections_at_most() -> int:
    """The number of connections that the hard limit allows."""
    return connections_within(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
