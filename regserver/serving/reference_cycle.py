"""Breaks the reference cycles of libraries' objects, so that a connection's objects are freed when it ends.

h2's H2Connection refers to a table of its own bound methods; trio's SSLStream refers to a `_Once` of its own bound method
`_do_handshake`. Without this module, each ended connection would wait for the
garbage collector, whose runs would block the event loop (see app/collector.py). Both versions are pinned, each class is checked for
its attribute before the first connection is served by it, and tests/serving/test_garbage.py checks that no garbage is left.
"""

from typing import Final

TLS_CYCLE: Final = "_handshook"
"""The attribute of trio.SSLStream that closes its cycle."""
HTTP2_CYCLE: Final = "_frame_dispatch_table"
"""The same of h2's H2Connection."""


class UnsupportedLibrary(Exception):
    """An installed library does not have the internals that the front door relies on."""


def check_cycle(kind: type, name: str) -> None:
    """Raises UnsupportedLibrary unless the class uses the attribute."""
    if name not in _names(kind):
        raise UnsupportedLibrary(f"{kind.__qualname__} has no {name}")


def _names(kind: type) -> set[str]:
    functions = [value for value in vars(kind).values() if hasattr(value, "__code__")]
    return {name for function in functions for name in function.__code__.co_names}


def break_cycle(ended: object, name: str) -> None:
    """Deletes the attribute that closes the cycle; the object must not be used afterwards."""
    vars(ended).pop(name, None)
