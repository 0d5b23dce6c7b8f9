"""A budget of the bytes that the server holds for peers: in all, for one network, and for one connection.

Bytes are held when a peer reads more slowly than it is answered (the rest of a response, the queue of a session), and when a
body over HTTP/2 has come in part. Each connection counts its own in a `Held`, which adds them to its network's and to the
total. What the kernel takes at once is never counted, so a peer that reads costs nothing here. Past the budget a request is
answered with 503 and a session closes with 1013; a response that is partly sent is cut.
"""

from typing import Final

from regserver.domain.address import Networks
from regserver.serving.limit import FrontLimits

LARGE_BYTES: Final = 16 * 1024
"""A longer body is not joined with its head, and must fit into the budget before it is sent. Shorter ones are counted only."""


class Peers:
    """The connections of one network (an IPv4 address, an IPv6 /64).

    key: see client_key; "" for clients without an address. is_exempt: a proxy's, so that only the total counts.
    connections: their number. held: bytes held for them.
    """

    __slots__ = ("connections", "held", "is_exempt", "key")

    def __init__(self, key: str, *, is_exempt: bool) -> None:
        self.key = key
        self.is_exempt = is_exempt
        self.connections = 0
        self.held = 0


class HeldBudget:
    """The bytes held for all peers. is_full: whether further requests are refused."""

    def __init__(self, limits: FrontLimits) -> None:
        self.limits = limits
        self.exempt = Networks(limits.exempt_networks)
        self.total = 0
        self.is_full = False
        self._full = limits.held_bytes * 7 // 8  # the rest is for what is under way

    def add(self, size: int) -> None:
        """Counts bytes; a negative size uncounts them."""
        self.total += size
        self.is_full = self.total >= self._full


class Held:
    """The bytes held for the peer of one connection."""

    __slots__ = ("budget", "peers", "size")

    def __init__(self, budget: HeldBudget, peers: Peers) -> None:
        self.budget = budget
        self.peers = peers
        self.size = 0

    def admits(self, size: int) -> bool:
        """Whether so many more bytes may be held."""
        budget, peers = self.budget, self.peers
        limits = budget.limits
        return (
            self.size + size <= limits.held_bytes_per_connection
            and (peers.is_exempt or peers.held + size <= limits.held_bytes_per_address)
            and budget.total + size <= limits.held_bytes
        )

    def add(self, size: int) -> None:
        """Counts bytes; a negative size uncounts them."""
        self.size += size
        self.peers.held += size
        self.budget.add(size)

    def clear(self) -> None:
        """Uncounts what is left when the connection has ended."""
        self.add(-self.size)


def unbounded_held(limits: FrontLimits) -> Held:
    """A count of its own, for a stream outside a front door."""
    return Held(HeldBudget(limits), Peers("", is_exempt=True))
