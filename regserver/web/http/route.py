"""Routes: which request goes to which endpoint, in whose style it is refused, and by which limit it is bounded."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from regserver.domain.outcome import Refusal
from regserver.endpoint import Request, Response, SocketSession
from regserver.web.http.rate_limit import LimitName


class ErrorStyle(Protocol):
    """The wire style of one group of routes."""

    def refuse(self, refusal: Refusal) -> Response:
        """The refusal as clients of these routes expect it. Every style can word every general refusal."""


Answer = Response | Refusal
"""What an endpoint returns. It refuses by value; how the refusal reads is for the style of its route to say."""

RouteEndpoint = Callable[[Request], Awaitable[Answer]]
"""Answers one request; raises StoreFault only."""


class Route(msgspec.Struct, frozen=True):
    """One endpoint on one path.

    name: "rooms.post", unique; the endpoint's name on the app's `url_map`.
    pattern: "/room/post/{room}"; a word in braces takes one whole segment, found in Request.params.
    """

    name: str
    method: str
    pattern: str
    endpoint: RouteEndpoint
    limit: LimitName
    style: ErrorStyle


SocketHandler = Callable[[SocketSession, Mapping[str, str]], Awaitable[None]]
"""Serves one session; the second argument is what the router took from the path."""


class SocketRoute(msgspec.Struct, frozen=True):
    """One WebSocket endpoint; the fields mean what those of a Route mean."""

    name: str
    pattern: str
    handler: SocketHandler
    limit: LimitName


class Match(msgspec.Struct, frozen=True):
    """The route of a request, and what its path has in the places of the pattern's braces."""

    route: Route
    params: Mapping[str, str]


class SocketMatch(msgspec.Struct, frozen=True):
    """The same for a WebSocket."""

    route: SocketRoute
    params: Mapping[str, str]
