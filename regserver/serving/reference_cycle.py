"""Breaks the reference cycles of libraries' objects, so that what a connection was made of is freed when it ends.

Hypercorn's TCPServer holds its protocol, which holds the server's bound method `protocol_send`; trio's SSLStream holds a
`_Once` of its own bound method `_do_handshake`. Without this, each ended connection of theirs would wait for the garbage
collector, whose runs would then hold the loop (see app/collector.py). Both versions are pinned, `check_cycles` looks at
start whether the cycle is where it was, and tests/serving/test_garbage.py whether anything is left.
"""

from typing import Final

import trio
from hypercorn.trio.tcp_server import TCPServer

_CLOSED_BY: Final = {TCPServer: "protocol", trio.SSLStream: "_handshook"}


class UnsupportedLibrary(Exception):
    """An installed library is not the one whose inside the front door relies on."""


def check_cycles() -> None:
    """Raises UnsupportedLibrary unless the classes still name the attribute that closes the cycle."""
    for kind, name in _CLOSED_BY.items():
        if name not in _names(kind):
            raise UnsupportedLibrary(f"{kind.__qualname__} has no {name}")


def _names(kind: type) -> set[str]:
    functions = [value for value in vars(kind).values() if hasattr(value, "__code__")]
    return {name for function in functions for name in function.__code__.co_names}


def break_cycle(ended: "TCPServer | trio.SSLStream[trio.SocketStream]") -> None:
    """Takes the attribute away that closes the cycle; the object is of no use afterwards."""
    for kind, name in _CLOSED_BY.items():
        if isinstance(ended, kind):
            vars(ended).pop(name, None)
