"""OriginList of web pages (RFC 6454): one spelling for each, and lists of them.

A default port is no difference: https://a.example and https://a.example:443 are one origin. A list may have a pattern for all
subdomains, "https://*.example.org", and "*" for every page.
"""

import re
from collections.abc import Iterable

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>(?:\*\.)?[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
EXPECTED = 'origins such as "https://app.example.org" or "https://*.example.org", or "*"'


def plain_origin(text: str) -> str | None:
    """The spelling of an origin; None for any other text, such as "null"."""
    found = _ORIGIN.fullmatch(text.lower())
    if found is None or "*" in found["host"]:
        return None
    return _joined(found)


def _joined(found: re.Match[str]) -> str:
    scheme, host, port = found["scheme"], found["host"], found["port"]
    port = port and str(int(port))
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else "")


class OriginList:
    """A list of origins and patterns. Raises ValueError for anything else."""

    def __init__(self, texts: Iterable[str]) -> None:
        """texts: an entry may end with a slash."""
        self._any = False
        self._exact: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        for text in texts:
            self._add(text)

    def _add(self, text: str) -> None:
        found = _ORIGIN.fullmatch(text.lower().removesuffix("/"))
        if text == "*":
            self._any = True
        elif found is None:
            raise ValueError(f"{text!r} is none of {EXPECTED}")
        elif found["host"].startswith("*."):
            any_label = re.escape(_joined(found)).replace(r"\*", "[a-z0-9_.-]+")
            self._patterns.append(re.compile(any_label))
        else:
            self._exact.add(_joined(found))

    def __bool__(self) -> bool:
        return self._any or bool(self._exact or self._patterns)

    def __contains__(self, text: str) -> bool:
        if self._any:
            return True
        origin = plain_origin(text)
        return origin is not None and (
            origin in self._exact or any(pattern.fullmatch(origin) for pattern in self._patterns)
        )
