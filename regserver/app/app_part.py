"""The parts of the app, one for each group of doors."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from regserver.config import Settings
from regserver.web.http.route import Route, SocketRoute
from regserver.web.operations.endpoint import Check


class AppPart(msgspec.Struct, frozen=True):
    """Routes and work of one group of doors.

    checks: parts of readiness. background: functions that run as long as the server. stop: called before the sockets
    close. reload: applies changed settings; settings that no part applies need a restart.
    """

    routes: tuple[Route, ...] = ()
    sockets: tuple[SocketRoute, ...] = ()
    checks: Mapping[str, Check] = {}
    background: tuple[Callable[[], Any], ...] = ()
    stop: tuple[Callable[[], Awaitable[None]], ...] = ()
    reload: tuple[Callable[[Settings], Awaitable[None]], ...] = ()
