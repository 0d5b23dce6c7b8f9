"""The mail server's URL: smtp://user:password@host:587 (STARTTLS) or smtps://… (implicit TLS)."""

import re
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

_URL = re.compile(r"smtps?://([^\s/@]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?(\?\S*)?", re.ASCII)


Tls = Literal["none", "starttls", "implicit"]


class SmtpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server. ca: a file of certificates to trust instead of the system's."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = None
    ca: str | None = None

    def __repr__(self) -> str:
        return f"SmtpAddress({self.host}:{self.port})"


def parse_smtp_url(url: str) -> SmtpAddress:
    """Reads the URL. Raises ValueError with the expected form.

    `?tls=none` sends without TLS, to a relay on this machine; `?ca=FILE` trusts the certificates in FILE. With smtp:// any
    server but one on the loopback interface must offer STARTTLS.
    """
    if not _URL.fullmatch(url):
        raise ValueError('"log:", "smtp://user:password@host:587" or "smtps://…"')
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if unknown := set(options) - {"tls", "ca"}:
        raise ValueError(f"?tls=none or ?ca=FILE, not {', '.join(sorted(unknown))}")
    if options.get("tls", "none") != "none":
        raise ValueError("?tls=none or no tls at all: smtps:// is implicit TLS, smtp:// is STARTTLS")
    tls: Tls = "implicit" if parts.scheme == "smtps" else "none" if "tls" in options else "starttls"
    return SmtpAddress(
        host=parts.hostname or "",
        port=parts.port or (465 if tls == "implicit" else 587),
        tls=tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        ca=options.get("ca"),
    )
