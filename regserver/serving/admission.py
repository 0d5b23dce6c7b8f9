"""Who may come in: a bound on all connections and one on those of an address (an IPv6 client is its /64)."""

import functools
import ipaddress
import socket

import trio

from regserver.serving.descriptor import connections_now
from regserver.serving.limit import FrontLimits

_MAPPED = b"\0" * 10 + b"\xff\xff"


def plain_address(address: str) -> str:
    """An address as it is compared and logged: no zone, and IPv4 that came in over IPv6 as IPv4."""
    address = address.partition("%")[0]
    return address[7:] if address.startswith("::ffff:") and "." in address else address


class Admission:
    """Counts connections. Each `enter` that returns 0 needs its `leave`."""

    def __init__(self, limits: FrontLimits) -> None:
        self._limits = limits
        self._most = min(limits.connections, connections_now())
        self._total = 0
        self._emptied = trio.Event()
        self._by_prefix: dict[bytes, int] = {}
        networks = [ipaddress.ip_network(network, strict=False) for network in limits.exempt_networks]

        @functools.lru_cache(maxsize=1024)
        def is_exempt(address: str) -> bool:
            parsed = ipaddress.ip_address(address)
            return any(parsed in network for network in networks)

        self._is_exempt = is_exempt

    @property
    def total(self) -> int:
        """Connections that are in."""
        return self._total

    async def wait_empty(self) -> None:
        """Until nobody is in."""
        while self._total:
            self._emptied = trio.Event()
            await self._emptied.wait()

    def enter(self, address: str) -> int:
        """0 when the connection may come in, otherwise the status that tells why not: 503 or 429."""
        if self._total >= self._most:
            return 503
        if address:
            prefix = _prefix(address)
            count = self._by_prefix.get(prefix, 0)
            if count >= self._limits.connections_per_address and not self._is_exempt(address):
                return 429
            self._by_prefix[prefix] = count + 1
        self._total += 1
        return 0

    def leave(self, address: str) -> None:
        """The connection is gone."""
        self._total -= 1
        if not self._total:
            self._emptied.set()
        if address:
            prefix = _prefix(address)
            count = self._by_prefix[prefix] - 1
            if count:
                self._by_prefix[prefix] = count
            else:
                del self._by_prefix[prefix]


def _prefix(address: str) -> bytes:
    if ":" not in address:
        return socket.inet_pton(socket.AF_INET, address)
    packed = socket.inet_pton(socket.AF_INET6, address)
    return packed[12:] if packed.startswith(_MAPPED) else packed[:8]
