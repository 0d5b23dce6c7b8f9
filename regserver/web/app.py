"""The Quart-Trio app, with the routes and endpoints of HTTP/1.1, for HTTP/2, the test client and other ASGI servers.

Quart matches a request on `url_map`, which is the router's Map, reads its body, and calls the view of its route. The view,
and the handler of requests without a route, call the dispatcher. WebSockets become sessions and do not reach Quart.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any, cast

import msgspec
import quart
from quart.routing import QuartMap
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from regserver.domain.outcome import InternalError
from regserver.endpoint import Request, Response, StreamResponse
from regserver.serving import FrontLimits, asgi_sessions, request_from_scope, response_fields
from regserver.web.core import WebCore
from regserver.web.http.answer import NAMED, Error
from regserver.web.http.dispatch import WebParts
from regserver.web.http.route import Match, Route, SocketRoute

View = Callable[..., Awaitable[quart.Response]]


class _Views(dict[str, Any]):
    """The view of each route, made when Quart first asks for it, whenever the route was added."""

    def __init__(self, make: Callable[[str], View]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> View:
        made = self[name] = self._make(name)
        return made


class WebApp(QuartTrio):
    """The same routes as ASGI app. core: they may be added to it before the first request, for instance by a lifespan."""

    def __init__(self, core: WebCore, limits: FrontLimits) -> None:
        super().__init__("regserver", static_folder=None)
        self.router, self.dispatcher = core.router, core.dispatcher
        # Quart only binds it to a request.
        self.url_map = cast("QuartMap", self.router.map)
        self.view_functions = _Views(self._view)
        # A longer body is dropped; the dispatcher sees `oversized`.
        self.config["MAX_CONTENT_LENGTH"] = limits.body_bytes
        self.config["BODY_TIMEOUT"] = limits.body_seconds
        # Slow clients may read for long; the front door ends one that reads nothing.
        self.config["RESPONSE_TIMEOUT"] = None
        self._sessions = asgi_sessions(super().asgi_app, self._socket_endpoint, limits)
        self.register_error_handler(HTTPException, self._handle)

    async def asgi_app(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application."""
        await self._sessions(scope, receive, send)

    def _socket_endpoint(self, path: str) -> Any:
        return self.dispatcher.socket_endpoint(path) or self.dispatcher.refuse_socket

    def _view(self, name: str) -> View:
        route = self.router.routes[name]

        async def view(**params: str) -> quart.Response:
            return await self._respond(Match(route, params))

        return view

    async def _respond(self, match: Match[Route] | None) -> quart.Response:
        """The limit is asked first, so that no body over it is read."""
        refused = self.dispatcher.admit(request_from_scope(quart.request.scope))
        if refused is not None:
            return _as_quart(refused)
        request = msgspec.structs.replace(await _read(), is_admitted=True)
        return _as_quart(await self.dispatcher.respond(request, match))

    async def _handle(self, error: HTTPException) -> quart.Response:
        """Answers a request without a route, or one that Quart failed to handle."""
        if error.code in {404, 405}:
            return await self._respond(None)
        if error.code is not None and error.code < 500:
            return _as_quart(
                Response(status=error.code, body=msgspec.json.encode(Error(type(error).__name__)))
            )
        rule = quart.request.url_rule
        style = NAMED if rule is None else self.router.routes[rule.endpoint].style
        return _as_quart(style.refuse(InternalError()))


def create_app(
    parts: WebParts, limits: FrontLimits, routes: Iterable[Route] = (), sockets: Iterable[SocketRoute] = ()
) -> WebApp:
    """The app with these routes on its `url_map`. limits: of bodies, and of sessions without the front door."""
    core = WebCore(parts)
    core.add_routes(routes, sockets)
    return WebApp(core, limits)


async def _read() -> Request:
    try:
        body = cast("bytes", await quart.request.get_data(as_text=False))
    except RequestEntityTooLarge:
        return request_from_scope(quart.request.scope, oversized=True)
    return request_from_scope(quart.request.scope, body)


async def _whole(response: StreamResponse) -> AsyncGenerator[bytes, None]:
    async with aclosing(response.stream) as stream:
        yield response.body
        async for chunk in stream:
            yield chunk


def _as_quart(response: Response) -> quart.Response:
    if isinstance(response, StreamResponse):
        made = quart.Response(_whole(response), status=response.status)
        made.timeout = None  # a stream has no deadline
        fields = [*response.headers, ("content-type", response.content_type)]
    else:
        made = quart.Response(response.body, status=response.status)
        fields = list(response_fields(response))
    made.headers.clear()
    made.headers.extend(fields)
    return made
