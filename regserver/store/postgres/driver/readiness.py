"""Waiting for a socket that libpq owns.

psycopg's generators yield what they wait for: to read, to write, or either. Most wait to read an answer. Those that send
are nearly always served at once, so the kernel is asked first.
"""

import select
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import psycopg
import trio
from psycopg.abc import PQGenConn
from psycopg.waiting import Ready, Wait

V = TypeVar("V")

_IN, _OUT = select.POLLIN, select.POLLOUT
_READ, _WRITE, _EITHER = Wait.R, Wait.W, Wait.RW


def ready_now(fd: int, wants: int) -> int:
    """Which of them the socket is ready for at this moment; 0 for none. An end or an error is found by reading."""
    poll = select.poll()
    poll.register(fd, (_IN if wants & _READ else 0) | (_OUT if wants & _WRITE else 0))
    for _, seen in poll.poll(0):
        found = (Ready.R if seen & ~_OUT else 0) | (Ready.W if seen & ~_IN else 0)
        return found & wants
    return 0


async def until_ready(fd: int, wants: int) -> int:
    """Waits until the socket is ready for one of them, and tells for which. Not a checkpoint if it can be written at once.

    Raises trio.ClosedResourceError where somebody else closes it meanwhile.
    """
    if wants == _READ:
        await trio.lowlevel.wait_readable(fd)
        return cast("int", Ready.R)
    if now := ready_now(fd, wants):
        return now
    if wants == _WRITE:
        await trio.lowlevel.wait_writable(fd)
        return cast("int", Ready.W)
    return await _until_either(fd)


async def _until_either(fd: int) -> int:
    # Two tasks, since Trio waits for one direction at a time in each.
    closed = False

    async def wait(direction: Callable[[int], Awaitable[None]], scope: trio.CancelScope) -> None:
        nonlocal closed
        try:
            await direction(fd)
        except trio.ClosedResourceError:
            closed = True
        scope.cancel()

    while True:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, trio.lowlevel.wait_readable, nursery.cancel_scope)
            nursery.start_soon(wait, trio.lowlevel.wait_writable, nursery.cancel_scope)
        if closed:
            raise trio.ClosedResourceError
        if now := ready_now(fd, _EITHER):
            return now


async def drive_alone(gen: PQGenConn[V]) -> V:
    """Drives a generator that tells its socket, which may change."""
    try:
        fd, wants = next(gen)
        while True:
            fd, wants = gen.send(cast("Any", await until_ready(fd, wants)))
    except StopIteration as stop:
        return cast("V", stop.value)
    except trio.ClosedResourceError:
        raise psycopg.OperationalError("the connection was closed meanwhile") from None
    finally:
        gen.close()
