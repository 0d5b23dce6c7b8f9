"""Bounds on the number of connections: in all, and per address (per /64 for IPv6)."""

import trio

from regserver.domain.address import client_key
from regserver.serving.descriptor import connections_now
from regserver.serving.held import Held, HeldBudget, Peers
from regserver.serving.limit import FrontLimits


class Admission:
    """Counts connections. Each `enter` that returns a Held needs one `leave`."""

    def __init__(self, limits: FrontLimits) -> None:
        self._limits = limits
        self._most = min(limits.connections, connections_now())
        self._total = 0
        self._emptied = trio.Event()
        self._peers: dict[str, Peers] = {}
        self.held = HeldBudget(limits)

    @property
    def total(self) -> int:
        """The number of present connections."""
        return self._total

    async def wait_empty(self) -> None:
        """Waits until there is no connection."""
        while self._total:
            self._emptied = trio.Event()
            await self._emptied.wait()

    @property
    def is_full(self) -> bool:
        """Whether there is no place for a further connection."""
        return self._total >= self._most

    def enter(self, address: str, *, has_place: bool = False) -> Held | int:
        """Counts a connection; returns its count of held bytes, or the status that refuses it.

        503 for the total, unless has_place: another connection was just closed for it. 429 for the address.
        """
        if self.is_full and not has_place:
            return 503
        key = client_key(address) if address else ""
        peers = self._peers.get(key) or self._peers_of(key, address)
        if peers.connections >= self._limits.connections_per_address and not peers.is_exempt:
            return 429
        peers.connections += 1
        self._total += 1
        return Held(self.held, peers)

    def _peers_of(self, key: str, address: str) -> Peers:
        # A unix socket has no addresses: a proxy is in front of it.
        peers = self._peers[key] = Peers(key, is_exempt=not address or address in self.held.exempt)
        return peers

    def leave(self, held: Held) -> None:
        """Uncounts a connection, and the bytes that are held for it."""
        if held.size:
            held.clear()
        self._total -= 1
        if not self._total:
            self._emptied.set()
        peers = held.peers
        peers.connections -= 1
        if not peers.connections:
            del self._peers[peers.key]
