"""The rate limits of one node, as the operator sees them."""

from collections.abc import Iterator
from typing import Protocol

import msgspec


class HeldClient(msgspec.Struct, frozen=True):
    """A client that has reached a limit. client: its IPv4 address or IPv6 /64. seconds: until its next request passes."""

    limit: str
    client: str
    seconds: float


class LimitBook(Protocol):
    """What is counted is in the memory of one node."""

    def held(self) -> Iterator[HeldClient]:
        """The clients whose next request is refused."""

    def lift(self, client: str) -> int:
        """Lets a client go on at once; in how many limits something of it was counted."""
