"""Rate limits by client: the generic cell rate algorithm over a bounded table in memory.

One number is stored for each key: the time when its allowance is full again. Each request moves it forward by one interval.
A request that would move it further than the burst allows is refused, with the seconds to wait. These limits protect one
node; limits over all nodes, such as tries of a code, are counted in the store.

By hand, since a request costs one dictionary look-up here; the libraries await a storage, on asyncio.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator

import msgspec

MAX_KEYS = 100_000
"""Beyond this the least recently used keys are dropped, so that an attacker with many addresses cannot fill the memory."""
_ROUNDING = 1e-6
"""In seconds: a shorter wait is an error of rounding, which would refuse the last request of a burst, or the only one."""


class Rate(msgspec.Struct, frozen=True):
    """`count` requests in `seconds`, evenly or all at once."""

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
        self._most = rate.seconds
        self._monotonic = monotonic
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, weight: int = 1) -> float | None:
        """Counts a request of `key`; None when it is allowed, else it is refused: the seconds to wait.

        weight: how many requests it counts for; more than the whole rate count for the whole rate.
        """
        now = self._monotonic()
        table = self._whole_at
        whole_at = table.get(key, now)
        if whole_at < now:
            whole_at = now
        whole_at += self._interval if weight == 1 else min(self._interval * weight, self._most)
        wait = whole_at - now - self._most
        if wait > _ROUNDING:
            return wait
        table[key] = whole_at
        table.move_to_end(key)
        if len(table) > MAX_KEYS:
            table.popitem(last=False)
        return None

    def waits(self) -> Iterator[tuple[str, float]]:
        """The keys whose next request is refused, with the seconds until it is not."""
        now = self._monotonic()
        for key, whole_at in self._whole_at.items():
            if (wait := whole_at + self._interval - now - self._most) > _ROUNDING:
                yield key, wait

    def forget(self, key: str) -> bool:
        """Gives a key its whole allowance back; False when nothing of it was used."""
        return self._whole_at.pop(key, None) is not None
