"""File descriptors: each connection takes one, and the process may have only so many."""

import resource
import sys
from typing import Final

# For the store, mail and all else: a server that accepts its last descriptor is stuck.
_SPARE: Final = 128


def raise_limit(connections: int) -> None:
    """Asks the system for as many as these connections need, as far as it grants them (the hard limit).

    The soft limit is often 1,024, for the sake of programs that use select(2). For the process as a whole, so it is up
    to whoever starts it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_within(limit: int) -> int:
    """How many connections a limit on open files leaves room for."""
    return sys.maxsize if limit == resource.RLIM_INFINITY else max(1, limit - _SPARE)


def connections_now() -> int:
    """How many the process may have as it is."""
    return connections_within(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def connections_at_most() -> int:
    """How many it may have once the limit is raised."""
    return connections_within(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
