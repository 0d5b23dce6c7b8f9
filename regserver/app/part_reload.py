"""How the parts of a running server take other settings: all of them, or none.

prepare   reads and builds whatever can fail, and changes nothing
settle    writes to the store what goes with it, once every part is prepared
apply     all of them in one step of the event loop
"""

from collections.abc import Awaitable, Callable

import msgspec

from regserver.config import Loaded


async def nothing_to_settle() -> None:
    """Writes nothing."""


class Prepared(msgspec.Struct, frozen=True):
    """What one part is going to do. apply: does not fail. settle: may raise StoreFault, and may be repeated."""

    apply: Callable[[], None] = lambda: None
    settle: Callable[[], Awaitable[None]] = nothing_to_settle


Prepare = Callable[[Loaded], Awaitable[Prepared]]
"""Raises ConfigFault for settings that the part cannot use."""


async def keep(loaded: Loaded) -> Prepared:
    """Of a part that takes no settings."""
    return Prepared()
