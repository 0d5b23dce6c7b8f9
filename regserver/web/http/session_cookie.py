"""The session of a browser, in a cookie that no script can read.

    POST /session                  Authorization: Bearer …          sets the cookie
    any request of the page        X-Regserver-Session: cookie      counts as one with the cookie's token in Authorization

A browser sends cookies whichever page asks, so a cookie alone never counts. It takes the field, which no page of another site
can send: that needs leave by CORS, which this server gives to no request with cookies. And where the browser says which page
asks (Fetch Metadata), it must be one of our own. Forms without scripts cannot send the field; they have a secret of their own
(`regserver.web.site.plain`). WebSockets take no cookie, only tickets, so that no foreign page can open one in somebody's name.

The name begins with `__Host-` (RFC 6265bis, 4.1.3.2), so that neither a page at a neighbouring host nor one by http can put
another session in its place. Browsers take such names by https only. By http the name has the port in it, since cookies do not
tell ports apart and several servers may run on a developer's machine.
"""

from typing import Final

import msgspec

from regserver.endpoint import Request

FIELD: Final = "x-regserver-session"
SECURE_PREFIX: Final = "__Host-"
SESSION: Final = "regserver"
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class CookieJar(msgspec.Struct, frozen=True):
    """The cookies of one request. is_secure: whether the browser reached us by https."""

    is_secure: bool
    port: str
    sent: str

    @classmethod
    def of(cls, request: Request, base: str) -> "CookieJar":
        """base: see ClientInfo. A proxy may end TLS without saying so; the browser's Origin tells it then."""
        scheme, _, rest = base.partition("://")
        origin = request.headers.get("origin", "")
        port = rest.partition("/")[0].rpartition(":")[2]
        return cls(
            scheme == "https" or origin.startswith("https:"),
            port if port.isdecimal() else DEFAULT_PORTS.get(scheme, ""),
            request.headers.get("cookie", ""),
        )

    def read(self, name: str) -> str:
        """The value of a cookie of ours; "" for none, and for several of that name."""
        for full in (self._secure_name(name), *(() if self.is_secure else (self._plain_name(name),))):
            found = [
                value
                for key, _, value in (part.strip().partition("=") for part in self.sent.split(";"))
                if key == full
            ]
            if found:
                return found[0] if len(found) == 1 else ""
        return ""

    def keep(self, name: str, value: str, seconds: int | None) -> tuple[str, str]:
        """The field that sets a cookie. value: of letters, digits, "-" and "_". seconds: of its life; None for as long as the browser is open."""
        life = "" if seconds is None else f"; Max-Age={seconds}"
        name, secure = (
            (self._secure_name(name), "; Secure") if self.is_secure else (self._plain_name(name), "")
        )
        return ("set-cookie", f"{name}={value}; Path=/{life}; HttpOnly; SameSite=Lax{secure}")

    def drop(self, name: str) -> tuple[str, str]:
        """The field that removes it."""
        return self.keep(name, "", 0)

    def _secure_name(self, name: str) -> str:
        return SECURE_PREFIX + name

    def _plain_name(self, name: str) -> str:
        return f"{name}-{self.port}"


def with_session(request: Request, base: str) -> Request:
    """The request with the cookie's token in Authorization, where one of our own pages asks so."""
    headers = request.headers
    if headers[FIELD] != "cookie" or "authorization" in headers:
        return request
    if headers.get("sec-fetch-site", "same-origin").lower() != "same-origin":
        return request
    token = CookieJar.of(request, base).read(SESSION)
    if not token:
        return request
    return msgspec.structs.replace(request, headers={**headers, "authorization": f"Bearer {token}"})
