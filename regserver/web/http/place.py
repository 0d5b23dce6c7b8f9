"""Bounds what one client does at the same time behind a proxy.

The front door counts connections by address. A proxy has one address for all its clients, so here their requests in
progress and WebSockets are counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """Counts by key. most: of one key at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    def is_full(self, key: str) -> bool:
        """Whether the key has no place left."""
        return self._taken.get(key, 0) >= self._most

    def take(self, key: str) -> None:
        """Takes a place of the key; of "" none is counted."""
        if key:
            self._taken[key] = self._taken.get(key, 0) + 1

    def give_back(self, key: str) -> None:
        """Gives back a place that was taken."""
        if not key:
            return
        left = self._taken[key] - 1
        if left:
            self._taken[key] = left
        else:
            del self._taken[key]

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        """Holds a place of the key in the body."""
        self.take(key)
        try:
            yield
        finally:
            self.give_back(key)
