"""Who is asking, and the base of links to the server, behind proxies.

A proxy says for whom it asks in a header field, and a client can send the same field. So one kind of field is believed, from
trusted peers alone, and of it only what they have appended: its end. An entry is believed when its writer is trusted: the
peer wrote the last one, and while an entry names another trusted proxy, that one wrote the entry before.

    X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.9        the peer is 10.0.0.1; 10.0.0.0/8 is trusted
                     └ the client's  │       └ written by the peer, for a trusted proxy
                       invention     └ written by 10.0.0.9: the client
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from regserver.domain.address import LOOPBACK_NETWORKS, Networks, ProxyFields, is_host, parse_node
from regserver.endpoint import Request
from regserver.web.http.proxy_notice import ProxyNotice

Entry = Mapping[str, str]
"""What one forwarder wrote, by the parameters of RFC 7239: "for", and perhaps "proto" and "host"."""

ADDRESS_FIELDS: Final[dict[ProxyFields, str]] = {
    "x-forwarded": "x-forwarded-for",
    "forwarded": "forwarded",
    "x-real-ip": "x-real-ip",
    "cf-connecting-ip": "cf-connecting-ip",
}
"""The field with the client's address, by the setting server.proxy_fields."""
CHAINS: Final = frozenset(("x-forwarded-for", "forwarded"))
"""Fields with an entry for each forwarder; the others have the client alone."""
KNOWN_FIELDS: Final = frozenset((*ADDRESS_FIELDS.values(), "x-forwarded-proto", "x-forwarded-host"))

# More lenient than RFC 7239 with values that are not quoted: some proxies write IPv6 addresses so.
_PAIR = r"""([!#$%&'*+.^_`|~0-9A-Za-z-]++)=([^\s",;]++|"(?:[^"\\]|\\.)*+")"""
_PAIRS = re.compile(_PAIR)
_ELEMENT = re.compile(rf"[ \t]*+(?:{_PAIR})?+(?:[ \t]*+;[ \t]*+(?:{_PAIR})?+)*+[ \t]*+")
MAX_TRIED = 64
"""Commas at which an element of Forwarded may begin: a bound on the search in a hostile field."""

FALLBACK_HOST = "localhost"

LOOPBACK: Final = Networks(LOOPBACK_NETWORKS)


class ClientInfo(msgspec.Struct, frozen=True):
    """The client's view of a connection.

    address: the client's, "" for a unix socket.
    base: scheme, host and base path of links to the server, without a slash at the end.
    """

    address: str
    base: str

    @property
    def socket_base(self) -> str:
        """The base with ws or wss."""
        return "ws" + self.base.removeprefix("http")


class Requester(msgspec.Struct, frozen=True):
    """Who sends a request.

    address: of the client, as far as trusted peers vouch for it; for the log, and for what it may do.
    client: the address that limits and guesses count by. It is another one where a loopback peer that is not trusted
    forwards requests, a proxy without its setting: its clients are counted by the addresses that it names, so that none of
    them shuts out the others. Nothing is granted to such an address.
    is_known: whether the address is certainly the client's: no forwarder left it out.
    """

    address: str
    client: str
    is_known: bool


class ForwardedReader:
    """Reads the fields of proxies. notice: tells of fields that are ignored."""

    def __init__(self, trusted: Sequence[str], public_url: str, fields: ProxyFields = "x-forwarded") -> None:
        """trusted: addresses or networks of proxies, or "unix" for every peer of a unix socket.

        public_url: the base of all links; "" derives it from the request. fields: the kind that is believed. Raises
        ValueError for an invalid address.
        """
        self._unix = "unix" in trusted
        self._networks = Networks(text for text in trusted if text != "unix")
        self._public_url = public_url.rstrip("/")
        self._field = ADDRESS_FIELDS[fields]
        self.notice = ProxyNotice()

    @property
    def is_secure(self) -> bool:
        """Whether public_url says that clients come by TLS."""
        return self._public_url.startswith("https:")

    @property
    def is_configured(self) -> bool:
        """Whether the base of links is the operator's, and not what a request says."""
        return bool(self._public_url)

    def trusts(self, peer: str) -> bool:
        """Whether the fields of this peer are believed."""
        return peer in self._networks if peer else self._unix

    def requester(self, request: Request) -> Requester:
        """Who sends a request."""
        headers, peer = request.headers, request.peer
        if KNOWN_FIELDS.isdisjoint(headers):
            return Requester(peer, peer, True)
        if self.trusts(peer):
            if self._field not in headers:
                self.notice.tell_missing(peer, self._field)
            address, is_known = _client(_entries(headers, self._field), peer, self.trusts)
            return Requester(address, address, is_known)
        self.notice.tell_ignored(peer, KNOWN_FIELDS.intersection(headers))
        return Requester(peer, self._claimed(headers, peer), False)

    def _claimed(self, headers: Mapping[str, str], peer: str) -> str:
        """The client that a loopback peer names without being trusted; the peer itself where it names none, or is another."""
        if peer and peer not in LOOPBACK:
            return peer
        for field in dict.fromkeys((self._field, *ADDRESS_FIELDS.values())):
            address, is_known = _client(_entries(headers, field), peer, LOOPBACK.__contains__)
            if is_known:
                return address
        return peer

    def read(self, request: Request) -> ClientInfo:
        """The client's address, and the base of links. An invalid Host counts as localhost."""
        base = self._public_url or self.base_of(request)
        return ClientInfo(self.requester(request).address, base)

    def base_of(self, request: Request) -> str:
        """The base as the request and its trusted proxies say it, without public_url."""
        scheme, host = str(request.scheme), request.headers.get("host", "")
        if self.trusts(request.peer):
            for entry in _believed(_entries(request.headers, self._field), self.trusts):
                if entry.get("proto", "").lower() in {"http", "https"}:
                    scheme = entry["proto"].lower()
                host = entry.get("host") or host
        return f"{scheme}://{host if is_host(host) else FALLBACK_HOST}{request.root_path}"


def _client(entries: Iterator[Entry], peer: str, trusts: Callable[[str], bool]) -> tuple[str, bool]:
    """The last address that a trusted writer vouches for, and whether it is the client's.

    It is not when the next entry is hidden ("unknown" or "_name", RFC 7239, section 6), malformed or missing.
    """
    address, is_known = peer, False
    for entry in _believed(entries, trusts):
        node = parse_node(entry.get("for", ""))
        if node is None:
            return address, False
        address, is_known = str(node), True
    return address, is_known


def _believed(entries: Iterator[Entry], trusts: Callable[[str], bool]) -> Iterator[Entry]:
    """The entries that trusted forwarders wrote, from a peer that is one, the nearest first."""
    for entry in entries:
        yield entry
        node = parse_node(entry.get("for", ""))
        if node is None or not trusts(str(node)):
            return


def _entries(headers: Mapping[str, str], field: str) -> Iterator[Entry]:
    """What each forwarder wrote, the nearest first."""
    text = headers.get(field, "")
    if field == "forwarded":
        yield from _elements(text)
        return
    *before, last = text.split(",") if text else ("",)
    proto, host = (
        headers.get(name, "").rpartition(",")[2].strip() for name in ("x-forwarded-proto", "x-forwarded-host")
    )
    yield {"for": last.strip(), "proto": proto, "host": host}
    if field in CHAINS:
        yield from ({"for": node.strip()} for node in reversed(before))


def _elements(text: str) -> Iterator[Entry]:
    """The elements of Forwarded, the last first.

    They are sought from the end: a quote that a client leaves open must not swallow what a proxy has appended.
    """
    end = start = len(text)
    for _ in range(MAX_TRIED):
        start = text.rfind(",", 0, start)
        if _ELEMENT.fullmatch(text, start + 1, end):
            pairs = _PAIRS.findall(text, start + 1, end)
            yield {name.lower(): _unquoted(value) for name, value in pairs}
            end = start
        if start < 0:
            return


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
