"""The steps of every request: id, route, rate limit, size, endpoint, headers, metrics, log line.

The front door calls `serve` for HTTP/1.1; the Quart app calls `respond` for everything else. No request raises an exception
out of here: a bug is answered with 500 in the style of its route.
"""

import itertools
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from functools import partial

import msgspec

from regserver.domain.address import client_key
from regserver.domain.outcome import (
    BodyTooLarge,
    InternalError,
    MethodNotAllowed,
    Refusal,
    RouteNotFound,
    ServerBusy,
    StoreUnavailable,
    TooManyRequests,
)
from regserver.endpoint import CloseCode, Request, Response, SocketEndpoint, SocketSession, StreamResponse
from regserver.log import AccessLog, request_id
from regserver.metric import Metrics
from regserver.ports.password_hasher import HashClient, HasherBusy, hash_client
from regserver.ports.store import StoreFault
from regserver.web.http.answer import NAMED, respond
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.rate_limit import LimitName, RateLimits
from regserver.web.http.route import Match, Route, SocketRoute
from regserver.web.http.router import Router

fault_log = logging.getLogger("regserver.fault")

NOSNIFF = ("x-content-type-options", "nosniff")
NO_STORE = ("cache-control", "no-store")


class WebParts(msgspec.Struct, frozen=True):
    """The parts that every request uses. access: the access log; None for no log."""

    limits: RateLimits
    forwarded: ForwardedReader
    cors: CorsPolicy
    metrics: Metrics
    access: AccessLog | None = None


class Dispatcher:
    """Serves the routes of one router."""

    def __init__(self, router: Router, parts: WebParts) -> None:
        self.router = router
        self._parts = parts
        # Ids must be unique, not secret: the time of the start and a number need no system call per request.
        self._prefix = f"{time.time_ns() // 1_000_000 & 0xFFFFFFFF:08x}-"
        self._numbers = itertools.count(1)

    # Not `async`: each request would pay for one coroutine more.
    def serve(self, request: Request) -> Awaitable[Response]:
        """Answers a request that has not been routed yet."""
        return self.respond(request, self.router.match(request.method, request.path))

    async def respond(self, request: Request, match: Match[Route] | None) -> Response:
        """Answers a routed request. match: None without a route."""
        started = time.perf_counter()
        identity = self._identify()
        client = self._parts.forwarded.address(request)
        response = self._add_headers(request, await self._answer(request, match, client), identity)
        # The pattern, not the path: paths carry challenges and registration ids, and labels must be few.
        method, pattern = ("(none)", "(none)") if match is None else (request.method, match.route.pattern)
        if isinstance(response, StreamResponse):
            response = msgspec.structs.replace(response, stream=self._counted(pattern, response.stream))
        seconds = time.perf_counter() - started
        self._parts.metrics.requests.observe(method, pattern, response.status, seconds)
        if self._parts.access is not None:
            self._parts.access.record(request.method, pattern, client, response.status, seconds)
        return response

    def _identify(self) -> str:
        identity = f"{self._prefix}{next(self._numbers):x}"
        request_id.set(identity)
        return identity

    async def _answer(self, request: Request, match: Match[Route] | None, client: str) -> Response:
        if match is None:
            return self._unmatched(request, client)
        route = match.route
        if limited := self._limited(route.limit, client):
            return route.style.refuse(limited)
        if request.oversized:
            return route.style.refuse(BodyTooLarge())
        return await self._call(route, msgspec.structs.replace(request, params=match.params, client=client))

    def _unmatched(self, request: Request, client: str) -> Response:
        if limited := self._limited("read", client):
            return NAMED.refuse(limited)
        methods = self.router.methods(request.path)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return self._parts.cors.preflight(request, methods)
        neighbour = self.router.match(methods[0], request.path) if methods else None
        if neighbour is None:
            return NAMED.refuse(RouteNotFound())
        return neighbour.route.style.refuse(MethodNotAllowed(tuple(methods)))

    def _limited(self, name: LimitName, client: str) -> TooManyRequests | None:
        wait = self._parts.limits.take(name, client)
        if wait is None:
            return None
        self._parts.metrics.limited.labels(name).inc()
        return TooManyRequests(math.ceil(wait))

    async def _call(self, route: Route, request: Request) -> Response:
        if route.hashes:
            hash_client.set(HashClient(client_key(request.client), request.gone))
        try:
            return respond(await route.endpoint(request), route.style)
        except HasherBusy as busy:
            return route.style.refuse(ServerBusy(busy.retry_after))
        except StoreFault as fault:
            fault_log.error("the store failed: %s", fault)
            return route.style.refuse(StoreUnavailable())
        except Exception:
            fault_log.exception("a bug in %s", route.name)
            return route.style.refuse(InternalError())

    def _add_headers(self, request: Request, response: Response, identity: str) -> Response:
        own = response.headers
        ours = (NOSNIFF, ("x-request-id", identity), *self._parts.cors.fields(request))
        if not own:
            return msgspec.structs.replace(response, headers=(*ours, NO_STORE))
        caching = () if any(name == "cache-control" for name, _ in own) else (NO_STORE,)
        return msgspec.structs.replace(response, headers=(*own, *ours, *caching))

    async def _counted(
        self, pattern: str, stream: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The stream, counted while it is read."""
        with self._parts.metrics.sockets.labels(pattern).track_inprogress():
            async with aclosing(stream):
                async for chunk in stream:
                    yield chunk

    # --- WebSocket sessions
    def socket_endpoint(self, path: str) -> SocketEndpoint | None:
        """The endpoint of WebSockets on a decoded path, or None."""
        match = self.router.match_socket(path)
        return None if match is None else partial(self._serve_socket, match)

    async def refuse_socket(self, session: SocketSession) -> None:
        """The endpoint of WebSockets on all other paths: rejects them."""
        self._identify()
        client = self._parts.forwarded.address(session.request)
        session.reject_nowait(NAMED.refuse(self._limited("read", client) or RouteNotFound()))

    async def _serve_socket(self, match: Match[SocketRoute], session: SocketSession) -> None:
        """The steps of a session: id, rate limit, origin, endpoint."""
        self._identify()
        if refusal := self._refusal(match, session.request):
            return session.reject_nowait(NAMED.refuse(refusal))
        with self._parts.metrics.sockets.labels(match.route.pattern).track_inprogress():
            try:
                await match.route.handler(session, match.params)
            except StoreFault as fault:
                fault_log.error("the store failed: %s", fault)
                # One of the two has an effect: reject before the handshake is answered, close afterwards.
                session.reject_nowait(NAMED.refuse(StoreUnavailable()))
                session.close_nowait(CloseCode.INTERNAL_ERROR)
        return None

    def _refusal(self, match: Match[SocketRoute], request: Request) -> Refusal | None:
        info = self._parts.forwarded.read(request)
        if limited := self._limited(match.route.limit, info.address):
            return limited
        return None if self._parts.cors.admits_socket(request, info.base) else RouteNotFound()
