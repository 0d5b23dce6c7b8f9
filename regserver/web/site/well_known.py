"""Addresses below /.well-known: where to report a fault of security, and where a password is changed."""

from collections.abc import Sequence

from regserver.domain.instant import DAY, Duration, after, iso_seconds
from regserver.domain.outcome import RouteNotFound
from regserver.endpoint import Request, Response
from regserver.ports.clock import Clock
from regserver.text import LANGUAGES
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.route import Route

SECURITY_PATH = "/.well-known/security.txt"
VALID = Duration(180 * DAY)
"""RFC 9116, 2.5.5, advises less than a year."""


class WellKnownApi:
    """contacts: URIs for reports, the preferred first; empty for no file. base: of links to this server."""

    def __init__(self, forwarded: ForwardedReader, clock: Clock, contacts: Sequence[str]) -> None:
        self._forwarded = forwarded
        self._clock = clock
        self._contacts = contacts

    def routes(self) -> tuple[Route, ...]:
        """The two."""
        change = "/.well-known/change-password"
        return (
            Route("site.security", "GET", SECURITY_PATH, self.security, "page", described=False),
            Route("site.change_password", "GET", change, self.change_password, "page", described=False),
        )

    async def security(self, request: Request) -> Response | RouteNotFound:
        """How to report a fault of security (RFC 9116)."""
        if not self._contacts:
            return RouteNotFound()
        lines = [f"Contact: {contact}" for contact in self._contacts]
        lines.append(f"Expires: {iso_seconds(after(self._clock.now(), VALID))}")
        lines.append(f"Preferred-Languages: {', '.join(LANGUAGES)}")
        lines.append(f"Canonical: {self._forwarded.read(request).base}{SECURITY_PATH}")
        return Response(body=("\n".join(lines) + "\n").encode(), content_type="text/plain; charset=utf-8")

    async def change_password(self, request: Request) -> Response:
        """Leads to the page where a password is changed (W3C, A Well-Known URL for Changing Passwords)."""
        target = f"{self._forwarded.read(request).base}/#password"
        return Response(status=302, content_type="text/plain", headers=(("location", target),))
