"""The steps of every request: id, route, rate limit, size, endpoint, headers, metrics, log line.

The front door calls `serve` for HTTP/1.1; the Quart app calls `respond` for everything else. No request raises an exception
out of here: a bug is answered with 500 in the style of its route.
"""

import itertools
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from functools import partial

import msgspec

from regserver.domain.address import client_key
from regserver.domain.outcome import (
    BadContentType,
    BodyTooLarge,
    ForeignOrigin,
    InternalError,
    MethodNotAllowed,
    Refusal,
    RouteNotFound,
    ServerBusy,
    StoreUnavailable,
    TooManyRequests,
    UpgradeRequired,
)
from regserver.domain.trace import current_trace, read_trace
from regserver.endpoint import CloseCode, Request, Response, SocketEndpoint, SocketSession, StreamResponse
from regserver.log import AccessLog, HourlyLog, request_id
from regserver.metric import Metrics
from regserver.ports.audit_table import asked_from
from regserver.ports.password_hasher import HashClient, HasherBusy, hash_client
from regserver.ports.store import StoreFault
from regserver.web.http.answer import DEEPEST_HELP, NAMED, HeaderFields, help_fields, respond
from regserver.web.http.cors import SAFE_METHODS, CorsPolicy
from regserver.web.http.forwarded import ForwardedReader, Requester
from regserver.web.http.place import Places
from regserver.web.http.rate_limit import LimitName, RateLimits
from regserver.web.http.route import Match, Route, SocketRoute
from regserver.web.http.router import Router
from regserver.web.http.session_cookie import FIELD as SESSION_FIELD
from regserver.web.http.session_cookie import with_session

fault_log = logging.getLogger("regserver.fault")
origin_log = HourlyLog(logging.getLogger("regserver.origin"))

SIGN_INS: Mapping[str, str] = {
    "sign_in.login": "password",
    "sign_in.user_login": "password",
    "sign_in.code": "code",
    "sign_in.factor": "factor",
    "sign_in.passkey": "passkey",
    "account.restore": "restore",
    "account.finish_recovery": "recovery",
}
"""The routes that sign somebody in, with the way by which: their answers are counted by name."""
NOSNIFF = ("x-content-type-options", "nosniff")
NO_STORE = ("cache-control", "no-store")
CHECKED_FIELDS = frozenset(("content-encoding", "origin", "sec-fetch-site"))
"""Fields for which a request may be refused whatever its route."""
BOM = b"\xef\xbb\xbf"
"""Programs of Windows begin a text with it. It means nothing in UTF-8."""


class WebParts(msgspec.Struct, frozen=True):
    """The parts that every request uses.

    access: the access log; None for no log. hsts_seconds: how long browsers shall come by TLS alone (RFC 6797); 0 for no word
    of it. places: how many requests and WebSockets one client behind a proxy may have at the same time. node: the name that ids
    of requests begin with; "" where there is one node.
    """

    limits: RateLimits
    forwarded: ForwardedReader
    cors: CorsPolicy
    metrics: Metrics
    access: AccessLog | None = None
    hsts_seconds: int = 0
    places: int = 1000
    node: str = ""


class Dispatcher:
    """Serves the routes of one router."""

    def __init__(self, router: Router, parts: WebParts) -> None:
        self.router = router
        # Apart, since every request reads them all.
        self._limits, self._forwarded, self._cors = parts.limits, parts.forwarded, parts.cors
        self._metrics, self._access = parts.metrics, parts.access
        # Ids must be unique, not secret: the time of the start and a number need no system call per request.
        node = f"{parts.node}-" if parts.node else ""
        self._prefix = f"{node}{time.time_ns() // 1_000_000 & 0xFFFFFFFF:08x}-"
        self._numbers = itertools.count(1)
        self._places = Places(parts.places)
        hsts = ("strict-transport-security", f"max-age={parts.hsts_seconds}")
        self._secure_fields = (NO_STORE, NOSNIFF, hsts) if parts.hsts_seconds else (NO_STORE, NOSNIFF)
        self._plain_fields = self._secure_fields if parts.forwarded.is_secure else (NO_STORE, NOSNIFF)

    # Not `async`: each request would pay for one coroutine more.
    def serve(self, request: Request) -> Awaitable[Response]:
        """Answers a request that has not been routed yet."""
        return self.respond(request, self.router.match(request.method, request.path))

    def admit(self, request: Request) -> Response | None:
        """Asks the limit of a request whose body has not come yet. The refusal; or None, and `is_admitted` is to be set."""
        started = time.perf_counter()
        match = self.router.match(request.method, request.path)
        requester = self._forwarded.requester(request)
        limited = self._limited("read" if match is None else match.route.limit, requester.client)
        if limited is None:
            return None
        identity = self._identify(request)
        refused = (NAMED if match is None else match.route.style).refuse(limited)
        refused = self._add_headers(request, refused, identity)
        return self._record(request, match, requester, refused, started)

    async def respond(self, request: Request, match: Match[Route] | None) -> Response:
        """Answers a routed request. match: None without a route."""
        started = time.perf_counter()
        identity = self._identify(request)
        requester = self._forwarded.requester(request)
        if requester.client is request.peer:  # asked here, since it is so of nearly all requests
            response = await self._answer(request, match, requester)
        else:
            response = await self._answer_placed(request, match, requester)
        response = self._add_headers(request, response, identity)
        return self._record(request, match, requester, response, started)

    def _record(
        self,
        request: Request,
        match: Match[Route] | None,
        requester: Requester,
        response: Response,
        started: float,
    ) -> Response:
        # The pattern, not the path: paths carry challenges and registration ids, and labels must be few.
        method = pattern = "(none)"
        if match is not None:
            method, pattern = request.method, match.route.pattern
        if response.is_stream and isinstance(response, StreamResponse):
            stream = self._counted(pattern, self._place(request, requester), response.stream)
            response = msgspec.structs.replace(response, stream=stream)
        seconds = time.perf_counter() - started
        self._metrics.requests.observe(method, pattern, response.status, seconds)
        if self._access is not None:
            self._access.record(request.method, pattern, requester.address, response.status, seconds)
        return response

    def _identify(self, request: Request) -> str:
        identity = f"{self._prefix}{next(self._numbers):x}"
        request_id.set(identity)
        given = request.headers.get("traceparent")
        if given is not None:
            current_trace.set(read_trace(given, secrets.token_hex(8)))
        elif current_trace.get() is not None:  # that of the connection's last request
            current_trace.set(None)
        return identity

    def _place(self, request: Request, requester: Requester) -> str:
        """The key of a client behind a proxy; "" for others, whose connections the front door counts."""
        return "" if requester.client == request.peer else client_key(requester.client)

    async def _answer_placed(
        self, request: Request, match: Match[Route] | None, requester: Requester
    ) -> Response:
        """Answers a request that a proxy forwards, within its client's bounds."""
        place = self._place(request, requester)
        style = NAMED if match is None else match.route.style
        if self._places.is_full(place):
            return style.refuse(TooManyRequests(1))
        with self._places.taken(place):
            return await self._answer(request, match, requester)

    # Not `async`, as above.
    def _answer(
        self, request: Request, match: Match[Route] | None, requester: Requester
    ) -> Awaitable[Response]:
        if match is None:
            return _answered(self._unmatched(request, requester.client))
        route = match.route
        limited = None if request.is_admitted else self._limited(route.limit, requester.client)
        if refusal := limited or self._unfit(request):
            return _answered(route.style.refuse(refusal))
        if request.body.startswith(BOM):
            request = msgspec.structs.replace(request, body=request.body.removeprefix(BOM))
        if SESSION_FIELD in request.headers:
            request = with_session(request, self._base(request))
        return self._call(
            route, msgspec.structs.replace(request, params=match.params, client=requester.client)
        )

    def _unfit(self, request: Request) -> Refusal | None:
        """What is refused whatever the route: another site's page, a body that is too long or coded."""
        headers = request.headers
        if CHECKED_FIELDS.isdisjoint(headers):  # as of nearly all programs
            return BodyTooLarge() if request.oversized else None
        if request.method not in SAFE_METHODS and not self._cors.admits(request, self._base):
            return self._foreign(request)
        if request.oversized:
            return BodyTooLarge()
        if "content-encoding" in headers and request.body:
            return BadContentType(is_coded=True)
        return None

    def _base(self, request: Request) -> str:
        return self._forwarded.read(request).base

    def _foreign(self, request: Request) -> ForeignOrigin:
        origin = request.headers.get("origin", "of another site")[:200]
        origin_log.warn(
            origin,
            "refused a page %s: if it may call this server, list it in server.cors_origins;"
            " if it is this server's own, set server.public_url",
            origin,
        )
        return ForeignOrigin()

    def _unmatched(self, request: Request, client: str) -> Response:
        if not request.is_admitted and (limited := self._limited("read", client)):
            return NAMED.refuse(limited)
        methods = self.router.methods(request.path)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return self._cors.preflight(methods)
        if request.method in ("GET", "HEAD") and self.router.match_socket(request.path) is not None:
            return NAMED.refuse(UpgradeRequired())
        neighbour = self.router.match(methods[0], request.path) if methods else None
        if neighbour is None:
            return NAMED.refuse(RouteNotFound())
        return neighbour.route.style.refuse(MethodNotAllowed(tuple(methods)))

    def _limited(self, name: LimitName, client: str) -> TooManyRequests | None:
        wait = self._limits.take(name, client)
        if wait is None:
            return None
        self._metrics.limited.labels(name).inc()
        return TooManyRequests(math.ceil(wait))

    async def _call(self, route: Route, request: Request) -> Response:
        if route.hashes:
            hash_client.set(HashClient(client_key(request.client), request.gone))
        if asked_from.get() != request.client:  # mostly the client of the connection's last request
            asked_from.set(request.client)
        try:
            answer = await route.endpoint(request)
            if (way := SIGN_INS.get(route.name)) is not None:
                self._metrics.sign_ins.labels(way, type(answer).__name__).inc()
            return respond(answer, route.style)
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
        if response.help:
            own = (*own, *help_fields(response.help, min(request.path.count("/"), DEEPEST_HELP + 1)))
        common: HeaderFields = self._secure_fields if request.scheme == "https" else self._plain_fields
        if own and any(name == "cache-control" for name, _ in own):
            common = common[1:]
        headers = (*own, *common, ("x-request-id", identity), *self._cors.fields(request))
        if (trace := current_trace.get()) is not None:
            headers += (("traceparent", trace.parent),)
        return msgspec.structs.replace(response, headers=headers)

    async def _counted(
        self, pattern: str, place: str, stream: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The stream, counted while it is read."""
        with self._metrics.sockets.labels(pattern).track_inprogress(), self._places.taken(place):
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
        self._identify(session.request)
        client = self._forwarded.requester(session.request).client
        session.reject_nowait(NAMED.refuse(self._limited("read", client) or RouteNotFound()))

    async def _serve_socket(self, match: Match[SocketRoute], session: SocketSession) -> None:
        """The steps of a session: id, rate limit, origin, endpoint."""
        self._identify(session.request)
        place, refusal = self._examine(match, session.request)
        if refusal is not None:
            return session.reject_nowait(NAMED.refuse(refusal))
        sockets = self._metrics.sockets.labels(match.route.pattern)
        # Without context managers: each idle session would hold two for its whole life, some 700 bytes.
        sockets.inc()
        self._places.take(place)
        try:
            await match.route.handler(session, match.params)
        except StoreFault as fault:
            fault_log.error("the store failed: %s", fault)
            # One of the two has an effect: reject before the handshake is answered, close afterwards.
            session.reject_nowait(NAMED.refuse(StoreUnavailable()))
            session.close_nowait(CloseCode.INTERNAL_ERROR)
        finally:
            self._places.give_back(place)
            sockets.dec()
        return None

    def _examine(self, match: Match[SocketRoute], request: Request) -> tuple[str, Refusal | None]:
        """The place that a session is to take, and why it may not."""
        requester = self._forwarded.requester(request)
        place = self._place(request, requester)
        return place, self._refusal(match, request, requester.client, place)

    def _refusal(
        self, match: Match[SocketRoute], request: Request, client: str, place: str
    ) -> Refusal | None:
        if limited := self._limited(match.route.limit, client):
            return limited
        if place and self._places.is_full(place):
            return TooManyRequests(1)
        return None if self._cors.admits_socket(request, self._base) else self._foreign(request)


async def _answered(response: Response) -> Response:
    return response
