"""Cross-origin rules: which pages may call the server by CORS (Fetch standard) and WebSocket (RFC 6455, section 10.2)."""

from collections.abc import Sequence

from regserver.endpoint import Request, Response
from regserver.web.http.answer import HeaderFields

EXPOSED = "Location, Retry-After, X-Request-Id"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer"
PREFLIGHT_SECONDS = 600


class CorsPolicy:
    """The origins that the operator allows."""

    def __init__(self, allowed: Sequence[str]) -> None:
        """allowed: origins such as "https://app.example.org", or "*" for all; empty for none."""
        self._any = "*" in allowed
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may call the server."""
        return self._any or origin.lower() in self._allowed

    def fields(self, request: Request) -> HeaderFields:
        """The CORS fields of an ordinary answer, which let an allowed origin read it; none for others."""
        origin = request.headers.get("origin")
        if not self._allowed:
            return ()
        if origin is None or not self.allows(origin):
            return (("vary", "Origin"),)
        return (
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", EXPOSED),
            ("vary", "Origin"),
        )

    def preflight(self, request: Request, methods: Sequence[str]) -> Response:
        """The answer to OPTIONS (Fetch standard, CORS protocol). The dispatcher adds the CORS fields, as to every answer."""
        return Response(
            status=204,
            content_type="",
            headers=(
                ("access-control-allow-methods", ", ".join(methods)),
                ("access-control-allow-headers", ALLOWED_HEADERS),
                ("access-control-max-age", str(PREFLIGHT_SECONDS)),
            ),
        )

    def admits_socket(self, request: Request, base: str) -> bool:
        """Whether a page may open a WebSocket. CORS does not apply there, so the server checks Origin itself.

        base: see ClientInfo. The server's own page always may. Without a list of origins every page may: it needs a token.
        """
        origin = request.headers.get("origin")
        if origin is None or not self._allowed:
            return True
        host = request.headers.get("host", "").lower()
        own = "/".join(base.lower().split("/", 3)[:3])  # without the path that public_url may have
        return self.allows(origin) or origin.lower() in {own, f"http://{host}", f"https://{host}"}
