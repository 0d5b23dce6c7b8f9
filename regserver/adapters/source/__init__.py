"""Sources of live registrations, each with a module and a line in SOURCES; `live.source` chooses one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from regserver.adapters.source.command import check_command, open_command
from regserver.adapters.source.roster import open_roster, read_people
from regserver.config import Loaded
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Source

Opener = Callable[[Loaded, PasswordHasher], AbstractAsyncContextManager[Source | None]]


def _open_http(loaded: Loaded, hasher: PasswordHasher) -> AbstractAsyncContextManager[Source | None]:
    from regserver.adapters.source.http import open_http  # with httpcore: 1 MiB, 20 ms

    return open_http(loaded, hasher)


def _check_http(loaded: Loaded) -> None:
    from regserver.adapters.source.http import check_http  # as above

    check_http(loaded)


SOURCES: Mapping[str, tuple[Opener, Callable[[Loaded], object]]] = {
    "file": (open_roster, read_people),
    "http": (_open_http, _check_http),
    "command": (open_command, check_command),
    "none": (lambda loaded, hasher: nullcontext(), lambda loaded: None),
}
"""By the name in live.source: what opens it, and what raises ConfigFault where that would, without anything being opened."""


def open_source(loaded: Loaded, hasher: PasswordHasher) -> AbstractAsyncContextManager[Source | None]:
    """The configured source; None when live registration is switched off. Entering it may raise ConfigFault."""
    return SOURCES[loaded.settings.live.source][0](loaded, hasher)


def check_source(loaded: Loaded) -> None:
    """Raises ConfigFault where the configured source cannot be opened."""
    SOURCES[loaded.settings.live.source][1](loaded)
