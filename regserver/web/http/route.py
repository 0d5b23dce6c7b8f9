"""Routes: each has an endpoint, an error style and a rate limit."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from regserver.endpoint import SocketSession
from regserver.web.http.answer import NAMED, ErrorStyle
from regserver.web.http.pipeline import Parameters, RouteEndpoint
from regserver.web.http.rate_limit import LimitName


class Route(msgspec.Struct, frozen=True):
    """One endpoint on one path.

    name: "rooms.post", unique; the endpoint's name on the app's `url_map`.
    pattern: "/room/post/{room}"; a name in braces matches one whole segment, which is in Request.params.
    style: the wording of its refusals; by name, except in the directory and the steps.
    hashes: whether it may hash a password: its client then waits for a turn, and may be refused with ServerBusy.
    described: whether it stands in the OpenAPI document. What only browsers ask for, pages and their parts, does not.
    """

    name: str
    method: str
    pattern: str
    endpoint: RouteEndpoint
    limit: LimitName
    style: ErrorStyle = NAMED
    hashes: bool = False
    described: bool = True


SocketHandler = Callable[[SocketSession, Mapping[str, str]], Awaitable[None]]
"""Serves one session. The second argument has the parameters in the path."""


class SocketRoute(msgspec.Struct, frozen=True):
    """One WebSocket endpoint; name, pattern and limit as in a Route.

    frames: the type, or union, of its frames. asked: its parameters.
    admit: the function that checks the client; its refusals are sent in a bare text frame. None: there are none.
    """

    name: str
    pattern: str
    handler: SocketHandler
    limit: LimitName
    frames: Any = str
    asked: type[Parameters] = Parameters
    admit: Callable[..., Any] | None = None


AnyRoute = TypeVar("AnyRoute", Route, SocketRoute)


class Match(msgspec.Struct, Generic[AnyRoute], frozen=True):
    """The route of a request or a WebSocket, and the parameters in its path."""

    route: AnyRoute
    params: Mapping[str, str]
