"""The parts that the app is put together of, one a group of doors."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from regserver.config import Settings
from regserver.web.http.route import Route, SocketRoute
from regserver.web.operations.endpoint import Check


class AppPart(msgspec.Struct, frozen=True):
    """checks: parts of readiness. background: work that runs as long as the server. stop: work to be finished before the
    sockets close. reload: takes changed settings into use; settings that no part takes need a restart.
    """

    routes: tuple[Route, ...] = ()
    sockets: tuple[SocketRoute, ...] = ()
    checks: Mapping[str, Check] = {}
    background: tuple[Callable[[], Any], ...] = ()
    stop: tuple[Callable[[], Awaitable[None]], ...] = ()
    reload: tuple[Callable[[Settings], Awaitable[None]], ...] = ()
