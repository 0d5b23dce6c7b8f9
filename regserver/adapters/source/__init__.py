"""Sources of live registrations, each with a module and a line in SOURCES; `live.source` chooses one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from regserver.adapters.source.command import open_command
from regserver.adapters.source.http import open_http
from regserver.adapters.source.roster import open_roster
from regserver.config import Loaded
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Source

Opener = Callable[[Loaded, PasswordHasher], AbstractAsyncContextManager[Source | None]]


SOURCES: Mapping[str, Opener] = {
    "file": open_roster,
    "http": open_http,
    "command": open_command,
    "none": lambda loaded, hasher: nullcontext(),
}


def open_source(loaded: Loaded, hasher: PasswordHasher) -> AbstractAsyncContextManager[Source | None]:
    """The configured source; None when live registration is switched off. Entering it may raise ConfigFault."""
    return SOURCES[loaded.settings.live.source](loaded, hasher)
