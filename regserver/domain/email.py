"""E-mail addresses: reading what people type, and the form that mail can be sent to.

An address is read once, where it enters: white space around it is dropped, and an international domain becomes A-labels
(RFC 5891), the form that every mail server takes.
"""

import re

import idna

MAX_EMAIL_LENGTH = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""

_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
"""What keyboards and copied text leave at the ends of an address, although it is no white space."""
_LOCAL_PART = re.compile(r"[A-Za-z0-9#$&'*+/=?^_{|}~.-]{1,64}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


def read_email(text: str) -> str | None:
    """The address in what somebody typed, its domain in ASCII; None for any other text. Letters keep their case."""
    local, at, host = _trimmed(text).rpartition("@")
    email = f"{local}{at}{_ascii_host(host)}"
    return email if is_email(email) else None


def read_domain(text: str) -> str | None:
    """The domain of addresses, as `example.org` or `@example.org`, in lower case and A-labels; None for any other text."""
    email = read_email(f"x@{_trimmed(text).removeprefix('@')}")
    return None if email is None else email.partition("@")[2].lower()


def is_email(email: str) -> bool:
    """An address that mail can be sent to: RFC 5321's dot-atom form and lengths, ASCII only.

    Quoted local parts, comments, address literals and single-label hosts other than localhost are refused. So are local
    parts that mail servers and readers treat as something else: routes (`%`, `!`) and encoded words (`=?`, RFC 2047). By
    hand, so that hostile text takes linear time.
    """
    if not 3 <= len(email) <= MAX_EMAIL_LENGTH:
        return False
    local, at, host = email.rpartition("@")
    if not at or _LOCAL_PART.fullmatch(local) is None:
        return False
    if local.startswith(".") or local.endswith(".") or ".." in local or "=?" in local:
        return False
    labels = host.split(".")
    if len(labels) < 2 and host.lower() != "localhost":
        return False
    return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdecimal()


def _trimmed(text: str) -> str:
    return text.strip().strip(_INVISIBLE).strip()


def _ascii_host(host: str) -> str:
    """The domain in A-labels; "" when there are none for it."""
    if host.isascii() or len(host) > MAX_EMAIL_LENGTH:
        return host
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:  # idna.IDNAError is one
        return ""
