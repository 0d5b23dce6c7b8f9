"""Routes: which request goes to which endpoint, in whose style it is refused, and by which limit it is bounded."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
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


class Route(msgspec.Struct, frozen=True):
    """One endpoint on one path.

    pattern: "/room/post/{room_id}"; a word in braces takes one whole segment, found in Request.params.
    """

    method: str
    pattern: str
    endpoint: RouteEndpoint
    limit: LimitName
    style: ErrorStyle


SocketHandler = Callable[[SocketSession, Mapping[str, str]], Awaitable[None]]
"""Serves one session; the second argument is what the router took from the path."""


class SocketRoute(msgspec.Struct, frozen=True):
    """One WebSocket endpoint."""

    pattern: str
    handler: SocketHandler
    limit: LimitName


class Match(msgspec.Struct, frozen=True):
    route: Route
    params: dict[str, str]


class SocketMatch(msgspec.Struct, frozen=True):
    route: SocketRoute
    params: dict[str, str]


class _Node:
    """One segment deep in the tree of patterns; exact words win over a parameter."""

    __slots__ = ("child", "entries", "parameter_child")

    def __init__(self) -> None:
        self.child: dict[str, _Node] = {}
        self.parameter_child: _Node | None = None
        self.entries: dict[str, Route | SocketRoute] = {}


_SOCKET = "websocket"


class Router:
    """All routes of the server. A trailing slash is optional everywhere; HEAD goes to GET unless it has its own route."""

    def __init__(self, routes: Iterable[Route], sockets: Iterable[SocketRoute] = ()) -> None:
        self.routes = tuple(routes)
        self.sockets = tuple(sockets)
        self._root = _Node()
        for route in self.routes:
            self._add(route.method, route.pattern, route)
        for socket in self.sockets:
            self._add(_SOCKET, socket.pattern, socket)
        self._fixed = {
            (route.method, route.pattern): Match(route, {})
            for route in self.routes
            if "{" not in route.pattern
        }

    def _add(self, key: str, pattern: str, entry: Route | SocketRoute) -> None:
        node = self._root
        for word in _segments(pattern):
            if word.startswith("{"):
                node.parameter_child = node.parameter_child or _Node()
                node = node.parameter_child
            else:
                node = node.child.setdefault(word, _Node())
        if key in node.entries:
            raise ValueError(f"two routes for {key} {pattern}")
        node.entries[key] = entry

    def match(self, method: str, path: str) -> Match | None:
        if (fixed := self._fixed.get((method, path))) is not None:
            return fixed
        entry, params = self._find(method, path)
        if entry is None and method == "HEAD":
            entry, params = self._find("GET", path)
        return Match(entry, params) if isinstance(entry, Route) else None

    def match_socket(self, path: str) -> SocketMatch | None:
        entry, params = self._find(_SOCKET, path)
        return SocketMatch(entry, params) if isinstance(entry, SocketRoute) else None

    def methods(self, path: str) -> list[str]:
        """The methods that this path takes, for the answer to a preflight."""
        asked = sorted({route.method for route in self.routes})
        return [method for method in asked if self.match(method, path) is not None]

    def _find(self, key: str, path: str) -> tuple[Route | SocketRoute | None, dict[str, str]]:
        words = _segments(path)
        entry = _walk(self._root, words, 0, key)
        if entry is None:
            return None, {}
        return entry, {
            name[1:-1]: word
            for name, word in zip(_segments(entry.pattern), words, strict=True)
            if name.startswith("{")
        }


def _segments(path: str) -> list[str]:
    if not path.startswith("/"):
        return []
    words = path[1:].split("/")
    return words[:-1] if len(words) > 1 and words[-1] == "" and words[-2] else words


def _walk(node: _Node, words: list[str], depth: int, key: str) -> Route | SocketRoute | None:
    if depth == len(words):
        return node.entries.get(key)
    child = node.child.get(words[depth])
    if child is not None and (found := _walk(child, words, depth + 1, key)) is not None:
        return found
    if node.parameter_child is not None and words[depth]:
        return _walk(node.parameter_child, words, depth + 1, key)
    return None
