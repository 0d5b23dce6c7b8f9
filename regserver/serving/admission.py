"""Who may come in: a bound on all connections and one on those of an address (an IPv6 client is its /64)."""

import trio

from regserver.domain.address import Networks, client_key
from regserver.serving.descriptor import connections_now
from regserver.serving.limit import FrontLimits


class Admission:
    """Counts connections. Each `enter` that returns 0 needs its `leave`."""

    def __init__(self, limits: FrontLimits) -> None:
        self._limits = limits
        self._most = min(limits.connections, connections_now())
        self._total = 0
        self._emptied = trio.Event()
        self._by_client: dict[str, int] = {}
        self._exempt = Networks(limits.exempt_networks)

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
            key = client_key(address)
            count = self._by_client.get(key, 0)
            if count >= self._limits.connections_per_address and address not in self._exempt:
                return 429
            self._by_client[key] = count + 1
        self._total += 1
        return 0

    def leave(self, address: str) -> None:
        """The connection is gone."""
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
