"""Cross-origin rules: pages of which other sites may call the server.

Reading answers is CORS (Fetch standard). Requests that change something are refused from other sites' pages even where they
need no preflight, and WebSockets (RFC 6455, section 10.2), to which CORS does not apply.
"""

from collections.abc import Callable, Sequence
from typing import Final

from regserver.domain.origin import OriginList, plain_origin
from regserver.endpoint import Request, Response
from regserver.web.http.answer import HeaderFields

EXPOSED = "Location, Retry-After, X-Request-Id"
ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    # What libraries add by themselves: tracing (W3C Trace Context and Baggage, Sentry), axios and fetch's cache modes.
    "Baggage",
    "Cache-Control",
    "Pragma",
    "Sentry-Trace",
    "Traceparent",
    "Tracestate",
    "X-Requested-With",
)
PREFLIGHT_SECONDS = 600
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that change nothing (RFC 9110, 9.2.1)."""


class CorsPolicy:
    """The origins that the operator allows."""

    def __init__(self, allowed: Sequence[str], headers: Sequence[str] = ()) -> None:
        """allowed: see OriginList; empty for none. headers: further fields that pages may send. Raises ValueError."""
        self._allowed = OriginList(allowed)
        self._is_open = bool(self._allowed)
        self._headers = ", ".join((*ALLOWED_HEADERS, *headers))

    def become(self, other: "CorsPolicy") -> None:
        """Becomes another policy, at a reload."""
        vars(self).update(vars(other))  # whole, so that no field is forgotten

    @property
    def front_fields(self) -> HeaderFields:
        """The CORS fields of answers that are given before the request is read; none without allowed origins.

        They name no origin, since it is not known there. Such answers have nothing but the name of a fault in them.
        """
        if not self._is_open:
            return ()
        return (("access-control-allow-origin", "*"), ("access-control-expose-headers", EXPOSED))

    def fields(self, request: Request) -> HeaderFields:
        """The CORS fields of an ordinary answer, which let an allowed origin read it; none for others."""
        if not self._is_open:
            return ()
        origin = request.headers.get("origin")
        if origin is None or origin not in self._allowed:
            return (("vary", "Origin"),)
        return (
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", EXPOSED),
            ("vary", "Origin"),
        )

    def preflight(self, methods: Sequence[str]) -> Response:
        """The answer to OPTIONS (Fetch standard, CORS protocol). The dispatcher adds the CORS fields, as to every answer."""
        return Response(
            status=204,
            content_type="",
            headers=(
                ("access-control-allow-methods", ", ".join(methods)),
                ("access-control-allow-headers", self._headers),
                ("access-control-max-age", str(PREFLIGHT_SECONDS)),
            ),
        )

    def admits(self, request: Request, base: Callable[[Request], str]) -> bool:
        """Whether the request comes from a page that may call the server, or from no page. base: see ClientInfo.

        Browsers say in Sec-Fetch-Site how the page's site and ours relate (Fetch Metadata); over http to other hosts than
        loopback they do not, and Origin is compared.
        """
        headers = request.headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is None and origin is None:
            return True
        if site is not None:
            foreign = site.lower() == "cross-site"
        else:
            foreign = not is_own_origin(origin or "", headers.get("host", ""), base(request))
        return not foreign or (origin is not None and origin in self._allowed)

    def admits_socket(self, request: Request, base: Callable[[Request], str]) -> bool:
        """The same for WebSockets. Without allowed origins every page may open one: it needs a token."""
        return not self._allowed or self.admits(request, base)


def is_own_origin(origin: str, host: str, base: str) -> bool:
    """Whether an origin is this server's: of the address that it was called by, or of public_url. base: see ClientInfo."""
    public = "/".join(base.split("/", 3)[:3])  # without the path that public_url may have
    ours = (public, f"http://{host}", f"https://{host}")
    found = plain_origin(origin)
    return found is not None and found in map(plain_origin, ours)
