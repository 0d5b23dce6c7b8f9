"""The routing: one werkzeug Map for HTTP/1.1 and for Quart.

HTTP/1.1 asks the Router; Quart, which serves HTTP/2, the test client and mounts, matches against the same Map by its
own dispatch. A trailing slash is optional everywhere. Exact words win over parameters. HEAD goes to GET unless it has a
route of its own. Nothing is ever redirected, and what werkzeug forgives (two slashes at the start, a method in lower
case) is not found. A path arrives decoded, so an encoded slash separates segments like any other.

A search in the Map takes some 20 µs and leaves a cycle for the garbage collector. So the Router remembers what it has
found, but no path that holds a secret: a challenge or a registration id would outlive its use.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, MapAdapter, Rule, WebsocketMismatch

from regserver.serving import local_path
from regserver.web.http.route import AnyRoute, Match, Route, SocketRoute

if TYPE_CHECKING:
    from quart.wrappers.base import BaseRequestWebsocket

REMEMBERED_PATHS = 4096
LONGEST_REMEMBERED = 128
"""Characters of a path; a longer one takes no memory."""
SECRET_PARAMETERS = frozenset({"challenge", "registration"})


class ExactAdapter(MapAdapter):
    """Finds no route where werkzeug would match another path or method than the client has sent."""

    def match(self, *path: Any, **options: Any) -> Any:
        """As MapAdapter.match, with all arguments but the path by keyword. Raises HTTPException without a route."""
        asked = str(path[0]) if path else self.path_info
        method = options.get("method") or self.default_method
        if not asked.startswith("/") or asked.startswith("//") or method != method.upper():
            raise NotFound
        try:
            return super().match(asked, **options)
        except WebsocketMismatch:
            raise NotFound from None


class ExactMap(Map):
    """A Map whose adapters are exact, and ignore host and port. To Quart it is a QuartMap."""

    def __init__(self) -> None:
        super().__init__(strict_slashes=False, merge_slashes=False, redirect_defaults=False)

    def bind_to_request(
        self, request: "BaseRequestWebsocket", subdomain: str | None, server_name: str | None
    ) -> MapAdapter:
        """The adapter that Quart matches a request with."""
        path, method = local_path(request.scope), str(request.scope.get("method", "GET"))
        return ExactAdapter(self, "", request.root_path, "", request.scheme, path, method)


class MatchedRule(Rule):
    """A rule that is only matched. The functions that would write its addresses cost half of its time, and of the start's."""

    provide_automatic_options = False  # Quart asks its rules for this

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        return _unwritten


def _unwritten(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("routes are matched, and their addresses never written")


class Router:
    """All routes of the server, on one Map. routes, sockets: by name."""

    def __init__(self, routes: Iterable[Route] = (), sockets: Iterable[SocketRoute] = ()) -> None:
        self.map = ExactMap()
        self._adapter = ExactAdapter(self.map, "", "", "", "http", "/", "GET")
        self.routes: dict[str, Route] = {}
        self.sockets: dict[str, SocketRoute] = {}
        self._remembered: dict[tuple[str, str], Match[Route]] = {}
        self._fixed_sockets: dict[str, Match[SocketRoute]] = {}
        self._claimed: set[str | tuple[str, str]] = set()
        self.add(routes, sockets)

    def add(self, routes: Iterable[Route], sockets: Iterable[SocketRoute] = ()) -> None:
        """Adds routes. Raises ValueError for a duplicate name, or a duplicate method of a path."""
        # Of two matching rules the Map uses the first. A rule for GET also matches HEAD, so HEAD's own come first.
        for route in sorted(routes, key=lambda route: route.method != "HEAD"):
            self._claim(route.name, route.method, route.pattern)
            self.routes[route.name] = route
            self.map.add(MatchedRule(_rule(route.pattern), methods=[route.method], endpoint=route.name))
        for socket in sockets:
            self._claim(socket.name, "websocket", socket.pattern)
            self.sockets[socket.name] = socket
            if "{" not in socket.pattern:
                self._fixed_sockets[socket.pattern] = Match(socket, {})
            self.map.add(MatchedRule(_rule(socket.pattern), endpoint=socket.name, websocket=True))
        self._remembered.clear()

    def _claim(self, name: str, method: str, pattern: str) -> None:
        place = method, re.sub(r"{\w+}", "{}", pattern)
        if {name, place} & self._claimed:
            raise ValueError(f"two routes for {name} or {method} {pattern}")
        self._claimed |= {name, place}

    def match(self, method: str, path: str) -> Match[Route] | None:
        """The route of a request. path: decoded, without the query."""
        found = self._remembered.get((method, path))
        if found is None and (found := self._search(self.routes, path, method=method)) is not None:
            self._remember(method, path, found)
        return found

    def _remember(self, method: str, path: str, found: Match[Route]) -> None:
        if len(path) > LONGEST_REMEMBERED or not SECRET_PARAMETERS.isdisjoint(found.params):
            return
        if len(self._remembered) >= REMEMBERED_PATHS:
            self._remembered.clear()
        self._remembered[method, path] = found

    def match_socket(self, path: str) -> Match[SocketRoute] | None:
        """The route of a WebSocket."""
        fixed = self._fixed_sockets.get(path)
        return self._search(self.sockets, path, websocket=True) if fixed is None else fixed

    def _search(self, routes: Mapping[str, AnyRoute], path: str, **options: Any) -> Match[AnyRoute] | None:
        try:
            rule, params = self._adapter.match(path, return_rule=True, **options)
        except HTTPException:
            return None
        return Match(routes[rule.endpoint], params)

    def methods(self, path: str) -> list[str]:
        """The methods of this path; none for an unknown one."""
        return sorted(self._adapter.allowed_methods(path))


def _rule(pattern: str) -> str:
    """A pattern in werkzeug's syntax."""
    return pattern.replace("{", "<").replace("}", ">")
