"""The mail server's URL: smtp://user:password@host:587 (STARTTLS) or smtps://… (implicit TLS)."""

import difflib
import re
from typing import Literal
from urllib.parse import parse_qs, unquote

import msgspec

from regserver.config.provider import MailSection
from regserver.config.setting import Loaded

# By hand: urlsplit cuts the URL at a `#` in the password, and its errors quote what follows.
_URL = re.compile(
    r"(?P<scheme>smtps?)://(?:(?P<user>[^\s/?#@:]*)(?::(?P<password>[^\s/?#@]*))?@)?"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>\d{1,5}))?/?(?:\?(?P<query>[^\s#]*))?",
    re.ASCII,
)
FORM = '"log:", "smtp://user:password@host:587" or "smtps://…"'
ESCAPES = (
    'user and password with "@" written as %40, "#" as %23, "/" as %2F, "?" as %3F, ":" as %3A and "%" as %25,'
    " or mail.user and mail.password in place of them"
)

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


def smtp_address(mail: MailSection) -> SmtpAddress:
    """The mail server of the settings, with mail.user and mail.password. Raises ValueError with the expected form."""
    address = parse_smtp_url(mail.smtp)
    if not mail.user and not mail.password:
        return address
    if address.user is not None:
        raise ValueError("a URL without a user, since mail.user names one")
    return msgspec.structs.replace(address, user=mail.user, password=str(mail.password))


def mail_server(loaded: Loaded) -> SmtpAddress:
    """The mail server of a configuration that is checked; a relative ?ca=FILE starts at its folder."""
    address = smtp_address(loaded.settings.mail)
    if address.ca is None:
        return address
    return msgspec.structs.replace(address, ca=str(loaded.resolve(address.ca)))


def parse_smtp_url(url: str) -> SmtpAddress:
    """Reads the URL. Raises ValueError with the expected form, and never with a part of the URL, which has a password.

    `?tls=none` sends without TLS, to a relay on this machine; `?ca=FILE` trusts the certificates in FILE. With smtp:// any
    server but one on the loopback interface must offer STARTTLS.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(ESCAPES if "@" in url and url.startswith(("smtp://", "smtps://")) else FORM)
    implicit = found["scheme"] == "smtps"
    port = int(found["port"] or (465 if implicit else 587))
    if not 0 < port < 2**16:
        raise ValueError(f"{FORM}, with a port from 1 to 65535")
    options = {
        key: values[-1] for key, values in parse_qs(found["query"] or "", keep_blank_values=True).items()
    }
    if unknown := options.keys() - {"tls", "ca"}:
        near = difflib.get_close_matches(
            min(unknown), ("tls", "ca"), 1, 0.5
        )  # told only then: it may be of a password
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"no options after ? but tls=none and ca=FILE{meant}")
    if options.get("tls", "none") != "none":
        raise ValueError("?tls=none or no tls at all: smtps:// is implicit TLS, smtp:// is STARTTLS")
    tls: Tls = "implicit" if implicit else "none" if "tls" in options else "starttls"
    user, password = found["user"], found["password"]
    return SmtpAddress(
        host=found["ipv6"] or found["host"],
        port=port,
        tls=tls,
        user=None if user is None else unquote(user),
        password=None if password is None else unquote(password),
        ca=options.get("ca"),
    )
