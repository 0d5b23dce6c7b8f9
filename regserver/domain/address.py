"""IP addresses: one spelling for each, the key by which clients are counted, and lists of networks; and hosts in URLs.

An IPv4 client appears as ::ffff:192.0.2.1 on a dual-stack socket, a link-local one with a zone (fe80::1%eth0). Each
address is converted to one spelling where it enters, so that it is one client in logs, limits and lists.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable
from typing import Literal

ProxyFields = Literal["x-forwarded", "forwarded", "x-real-ip", "cf-connecting-ip"]
"""The fields in which proxies name their clients, as the operator chooses them."""
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 3986, 3.2.2, restricted to DNS names and addresses. An empty or too long label would make the framework's IDNA
# codec raise.
_HOST = re.compile(
    r"(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])(?::[0-9]{0,5})?",
)


# RFC 7239, section 6, and what proxies write into X-Forwarded-For: brackets and a port, or neither.
_PORT = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
_ZONE = r"(?:%[A-Za-z0-9._~-]+)?"
_NODE = re.compile(
    rf"\[(?P<bracketed>[0-9A-Fa-f:.]+{_ZONE})\]{_PORT}|(?P<ipv4>[0-9.]+){_PORT}|(?P<bare>[0-9A-Fa-f:.]+{_ZONE})"
)


def is_host(text: str) -> bool:
    """Whether the text is a host with an optional port, as in a Host field. Brackets must contain an IPv6 address."""
    return _is_short_host(text) if len(text) <= 100 else _is_host(text)


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    if found is None or found["ipv6"] is None:
        return found is not None
    try:
        ipaddress.IPv6Address(found["ipv6"])
    except ValueError:
        return False
    return True


_is_short_host = functools.lru_cache(maxsize=256)(_is_host)  # nearly all clients name one of a few


def parse_address(text: str) -> Address | None:
    """An address without its zone, mapped IPv4 as IPv4; None for any other text."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def parse_node(text: str) -> Address | None:
    """The address of a node that a proxy names; None for a hidden one, such as "unknown", and for any other text."""
    found = _NODE.fullmatch(text.strip(' \t"'))
    return None if found is None else parse_address(found[found.lastgroup or 0])


def is_private(text: str) -> bool:
    """Whether an address is on loopback, the link or a private network, where no stranger of the Internet comes from."""
    parsed = parse_address(text)
    return parsed is not None and parsed.is_private


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")


def is_public(text: str) -> bool:
    """Whether an address is one of the Internet's, in whatever form it contains an IPv4 address: mapped, 6to4 or NAT64.

    Not only not private: loopback, link-local, shared, reserved, multicast and unspecified addresses are none either.
    """
    parsed = parse_address(text)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
        inner = parsed.sixtofour
        return parsed in _UNICAST and parsed.is_global and (inner is None or is_public(str(inner)))
    return parsed is not None and parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def host_name(host: str) -> str:
    """The name or address in a Host field, in lower case, without port and brackets."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower()


@functools.lru_cache(maxsize=4096)
def plain_address(text: str) -> str:
    """The spelling of an address; any other text unchanged."""
    parsed = parse_address(text)
    return text if parsed is None else str(parsed)


@functools.lru_cache(maxsize=4096)
def client_key(text: str) -> str:
    """The key by which a client is counted: its IPv4 address, or its IPv6 /64, since one host may have all of a /64."""
    parsed = parse_address(text)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return text if parsed is None else str(parsed)


@functools.lru_cache(maxsize=4096)
def coarse_network(text: str) -> str:
    """The part of an address that is kept of it: its IPv4 /24 or its IPv6 /48; "" for any other text."""
    parsed = parse_address(text)
    if parsed is None:
        return ""
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


class Networks:
    """A list of networks and single addresses, such as "10.0.0.0/8" or "::1". Raises ValueError."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(text, strict=False) for text in texts)
        self._holds = functools.lru_cache(maxsize=1024)(functools.partial(_is_in, self._networks))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        return bool(self._networks) and self._holds(address)


def _is_in(networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], address: str) -> bool:
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)
