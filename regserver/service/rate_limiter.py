"""Rate limits by client: the generic cell rate algorithm over a bounded table in memory.

One number is stored for each key: the time at which its allowance will be whole again. A request moves that time on by
one interval. A request that would move it further than the burst allows is refused, with the seconds to wait. These
limits protect one node; bounds over all nodes, such as tries of a code, are counted in the store.

By hand, since a request is one look-up in a dictionary here; the libraries await a storage, and on asyncio.
"""

import re
from collections import OrderedDict
from collections.abc import Callable

import msgspec

MAX_KEYS = 100_000
"""Beyond this the least recently used keys are forgotten: an attacker with many addresses must not fill the memory."""


class Rate(msgspec.Struct, frozen=True):
    """`count` requests in `seconds`, all at once or spread."""

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Reads "60/1m" or "5/10s". Raises ValueError."""
        found = re.fullmatch(r"(\d{1,9})/(\d{1,6})(s|m|h|d)", text)
        if found is None or int(found[1]) == 0 or int(found[2]) == 0:
            raise ValueError('expected a rate such as "60/1m"')
        return cls(int(found[1]), int(found[2]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[3]])


class Limiter:
    """One rate for any number of keys. monotonic: seconds from a clock that never goes back."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._interval = rate.seconds / rate.count
        self._tolerance = rate.seconds - self._interval
        self._monotonic = monotonic
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float | None:
        """Counts a request of `key`: None when it may go on, else it is refused, and may come again after these seconds."""
        now = self._monotonic()
        whole_at = max(self._whole_at.get(key, now), now)
        wait = whole_at - now - self._tolerance
        if wait > 0:
            return wait
        self._whole_at[key] = whole_at + self._interval
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > MAX_KEYS:
            self._whole_at.popitem(last=False)
        return None
