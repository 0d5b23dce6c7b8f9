"""The way of every request, hot or not: identity, route, limit, size, endpoint, headers, log line, figures.

The front door calls `Dispatcher.serve` for hot routes, the Quart app for all others; both get the same answer to the
byte. Nothing that a client can send raises out of here, and a bug becomes 500 in the door's own style.
"""

import itertools
import logging
import math
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial

import msgspec

from regserver.domain.outcome import (
    BodyTooLarge,
    InternalError,
    Refusal,
    RouteNotFound,
    StoreUnavailable,
    TooManyRequests,
)
from regserver.endpoint import CloseCode, Request, Response, SocketEndpoint, SocketSession, StreamResponse
from regserver.log import AccessLog, request_id
from regserver.metric import Metrics
from regserver.ports.store import StoreFault
from regserver.web.http.answer import NAMED
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.rate_limit import LimitName, RateLimits
from regserver.web.http.route import Match, Route, Router, SocketMatch

fault_log = logging.getLogger("regserver.fault")

NOSNIFF = ("x-content-type-options", "nosniff")
NO_STORE = ("cache-control", "no-store")


class Dispatcher:
    """Serves the routes of one router."""

    def __init__(
        self,
        router: Router,
        limits: RateLimits,
        forwarded: ForwardedReader,
        policy: CorsPolicy,
        metrics: Metrics,
        *,
        access: AccessLog | None,
    ) -> None:
        """access: where each request leaves its line; None keeps none."""
        self._router = router
        self._limits = limits
        self._forwarded = forwarded
        self._policy = policy
        self._metrics = metrics
        self._access = access
        # Unlike tokens, ids need only be different: a start of our own and a number cost no system call.
        self._prefix = f"{time.time_ns() // 1_000_000 & 0xFFFFFFFF:08x}-"
        self._numbers = itertools.count(1)

    async def serve(self, request: Request) -> Response:
        started = time.perf_counter()
        identity = self._identify()
        match = self._router.match(request.method, request.path)
        client = self._forwarded.address(request)
        response = await self._answer(request, match, client)
        response = self._dress(request, response, identity)
        if match is not None and isinstance(response, StreamResponse):
            counted = self._counted(match.route.pattern, response.stream)
            response = msgspec.structs.replace(response, stream=counted)
        self._record(request, match, client, response, time.perf_counter() - started)
        return response

    def _identify(self) -> str:
        identity = f"{self._prefix}{next(self._numbers):x}"
        request_id.set(identity)
        return identity

    async def _answer(self, request: Request, match: Match | None, client: str) -> Response:
        if match is None:
            return self._unmatched(request, client)
        route = match.route
        if limited := self._limited(route.limit, client):
            return route.style.refuse(limited)
        if request.oversized:
            return route.style.refuse(BodyTooLarge())
        return await self._call(route, _routed(request, match.params, client))

    def _unmatched(self, request: Request, client: str) -> Response:
        if limited := self._limited("read", client):
            return NAMED.refuse(limited)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return self._policy.preflight(request, self._router.methods(request.path))
        return NAMED.refuse(RouteNotFound())

    def _limited(self, name: LimitName, client: str) -> TooManyRequests | None:
        wait = self._limits.take(name, client)
        if wait is None:
            return None
        self._metrics.limited.labels(name).inc()
        return TooManyRequests(math.ceil(wait))

    async def _call(self, route: Route, request: Request) -> Response:
        try:
            answer = await route.endpoint(request)
            return route.style.refuse(answer) if isinstance(answer, Refusal) else answer
        except StoreFault as fault:
            fault_log.error("the store failed: %s", fault)
            return route.style.refuse(StoreUnavailable())
        except Exception:
            fault_log.exception("a bug in %s %s", route.method, route.pattern)
            return route.style.refuse(InternalError())

    def _dress(self, request: Request, response: Response, identity: str) -> Response:
        own = response.headers
        ours = (NOSNIFF, ("x-request-id", identity), *self._policy.fields(request))
        if not own:
            return msgspec.structs.replace(response, headers=(*ours, NO_STORE))
        kept = () if any(name == "cache-control" for name, _ in own) else (NO_STORE,)
        return msgspec.structs.replace(response, headers=(*own, *ours, *kept))

    def _record(
        self, request: Request, match: Match | None, client: str, response: Response, seconds: float
    ) -> None:
        # The pattern, not the path: paths carry challenges and registration ids, and labels must be few.
        pattern = match.route.pattern if match else "(none)"
        method = request.method if match else "(none)"
        self._metrics.requests.observe(method, pattern, response.status, seconds)
        if self._access is not None:
            self._access.record(request.method, pattern, client, response.status, seconds)

    async def _counted(
        self, pattern: str, stream: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The stream, counted for as long as it is read."""
        with self._metrics.sockets.labels(pattern).track_inprogress():
            async with aclosing(stream):
                async for piece in stream:
                    yield piece

    # --- WebSocket sessions
    def socket_endpoint(self, path: str) -> SocketEndpoint | None:
        """What serves the WebSockets on a decoded path."""
        match = self._router.match_socket(path)
        return None if match is None else partial(self._serve_socket, match)

    async def _serve_socket(self, match: SocketMatch, session: SocketSession) -> None:
        """The same way for a session: identity, limit, origin, then the endpoint."""
        self._identify()
        if refusal := self._refusal(match, session.request):
            return session.reject_nowait(NAMED.refuse(refusal))
        gauge = self._metrics.sockets.labels(match.route.pattern)
        gauge.inc()
        try:
            await match.route.handler(session, match.params)
        except StoreFault as fault:
            fault_log.error("the store failed: %s", fault)
            session.reject_nowait(NAMED.refuse(StoreUnavailable()))  # whichever of the two still applies
            session.close_nowait(CloseCode.INTERNAL_ERROR)
        finally:
            gauge.dec()
        return None

    def _refusal(self, match: SocketMatch, request: Request) -> Refusal | None:
        origin = self._forwarded.read(request)
        if limited := self._limited(match.route.limit, origin.address):
            return limited
        return None if self._policy.admits_socket(request, origin.base) else RouteNotFound()


def _routed(request: Request, params: Mapping[str, str], client: str) -> Request:
    return msgspec.structs.replace(request, params=params, client=client)
