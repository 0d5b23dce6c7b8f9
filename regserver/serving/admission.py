"""Bounds on the number of connections: in all, and per address (per /64 for IPv6)."""

import trio

from regserver.domain.address import Networks, client_key
from regserver.serving.descriptor import connections_now
from regserver.serving.limit import FrontLimits


class Admission:
    """Counts connections. Each `enter` that returns 0 needs one `leave`."""

    def __init__(self, limits: FrontLimits) -> None:
        self._limits = limits
        self._most = min(limits.connections, connections_now())
        self._total = 0
        self._emptied = trio.Event()
        self._by_client: dict[str, int] = {}
        self._exempt = Networks(limits.exempt_networks)

    @property
    def total(self) -> int:
        """The number of present connections."""
        return self._total

    async def wait_empty(self) -> None:
        """Waits until there is no connection."""
        while self._total:
            self._emptied = trio.Event()
            await self._emptied.wait()

    def enter(self, address: str) -> int:
        """Counts a connection; returns 0, or the status that refuses it: 503 for the total, 429 for the address."""
        if self._total >= self._most:
            return 503
        if address:
            key = client_key(address)
            count = self._by_client.get(key, 0)
            if count >= self._limits.connections_per_address and address not in self._exempt:
                return 429
            self._by_client[key] = count + 1
        self._total += 1
        return 0

    def leave(self, address: str) -> None:
        """Uncounts a connection."""
        self._total -= 1
        if not self._total:
            self._emptied.set()
        if address:
            key = client_key(address)
            count = self._by_client[key] - 1
            if count:
                self._by_client[key] = count
            else:
                del self._by_client[key]
