"""The client's address, and the base of links to the server. Forwarded fields count only from trusted proxies."""

import re
from collections.abc import Sequence

import msgspec

from regserver.domain.address import Networks, is_host, parse_address
from regserver.endpoint import Request

_ELEMENT = re.compile(r'(?i)\b(for|proto|host)=("[^"]*"|[^;,\s]+)')
_FALLBACK_HOST = "localhost"


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


class ForwardedReader:
    """Reads Forwarded (RFC 7239) or the X-Forwarded fields."""

    def __init__(self, trusted: Sequence[str], public_url: str) -> None:
        """trusted: addresses or networks of proxies, or "unix" for every peer of a unix socket.

        public_url: the base of all links; "" derives it from the request. Raises ValueError for an invalid address.
        """
        self._unix = "unix" in trusted
        self._networks = Networks(text for text in trusted if text != "unix")
        self._trusts_proxies = bool(trusted)
        self._public_url = public_url.rstrip("/")

    def read(self, request: Request) -> ClientInfo:
        """The client, by the fields of trusted proxies. An invalid Host counts as localhost."""
        address, scheme = request.peer, str(request.scheme)
        host = request.headers.get("host", "")
        if self._trusts(request.peer):
            address, scheme, host = self._forwarded(request, scheme, host)
        if not is_host(host):
            host = _FALLBACK_HOST
        return ClientInfo(address, self._public_url or f"{scheme}://{host}{request.root_path}")

    def address(self, request: Request) -> str:
        """The client's address alone; fast without trusted proxies."""
        return self.read(request).address if self._trusts_proxies else request.peer

    def _trusts(self, address: str) -> bool:
        return address in self._networks if address else self._unix

    def _forwarded(self, request: Request, scheme: str, host: str) -> tuple[str, str, str]:
        """Address, scheme and host from RFC 7239's Forwarded, or else the X-Forwarded fields.

        The client is the last address that is not a trusted proxy: the client itself may have written those before it.
        """
        headers = request.headers
        if "forwarded" in headers:
            found = [(key.lower(), value.strip('"')) for key, value in _ELEMENT.findall(headers["forwarded"])]
            chain = [value for key, value in found if key == "for"]
            protocols = [value for key, value in found if key == "proto"]
            hosts = [value for key, value in found if key == "host"]
        else:
            chain = _items(headers.get("x-forwarded-for", ""))
            protocols = _items(headers.get("x-forwarded-proto", ""))
            hosts = _items(headers.get("x-forwarded-host", ""))
        address = next((a for a in map(_bare, reversed(chain)) if a and not self._trusts(a)), request.peer)
        if protocols and protocols[-1].lower() in {"http", "https"}:
            scheme = protocols[-1].lower()
        return address, scheme, hosts[-1] if hosts else host


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _bare(node: str) -> str:
    """The address of a node without brackets and port; "" for a hidden name (RFC 7239, section 6.3)."""
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    address = parse_address(node)
    return "" if address is None else str(address)
