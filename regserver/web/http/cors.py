"""Cross-origin rules: which pages of other sites may call us, by CORS and by WebSocket."""

from collections.abc import Sequence

from regserver.endpoint import Request, Response
from regserver.web.http.error_style import HeaderFields

EXPOSED = "Location, Retry-After, X-Request-Id"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer"
PREFLIGHT_SECONDS = 600


class CorsPolicy:
    """allowed: origins such as "https://app.example.org", or "*"; empty: no other site."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._any = "*" in allowed
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)

    def allows(self, origin: str) -> bool:
        return self._any or origin.lower() in self._allowed

    def fields(self, request: Request) -> HeaderFields:
        """The CORS fields of an ordinary answer; none for those who may not read it."""
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
        """The answer to OPTIONS (Fetch standard, CORS protocol); the CORS fields are added as to every answer."""
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
        """Whether a page may open a WebSocket: browsers send Origin and do not stop it themselves.

        base: where the server is, as its clients see it. Without a list, tokens are the protection; with one, strangers
        are kept out, while our own page always may.
        """
        origin = request.headers.get("origin")
        if origin is None or not self._allowed:
            return True
        host = request.headers.get("host", "").lower()
        own = "/".join(base.lower().split("/", 3)[:3])  # without the path that public_url may have
        return self.allows(origin) or origin.lower() in {own, f"http://{host}", f"https://{host}"}
