"""The rate limits by name. Every route has one of these names; [limits.routes] may set other rates."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args

from regserver.domain.address import client_key
from regserver.ports.limit_book import HeldClient, LimitBook
from regserver.service.rate_limiter import Limiter, Rate

LimitName = Literal[
    "sign_in",
    "sign_up",
    "invitation",
    "captcha",
    "read",
    "write",
    "search",
    "rpc",
    "mail",
    "socket",
    "page",
    "operation",
    "operator",
]

LIMITS: dict[LimitName, Rate] = {
    "sign_in": Rate(300, 60),  # bounds password guessing from one address
    "sign_up": Rate(300, 60),  # each costs a password hash
    "invitation": Rate(120, 60),  # of those that are shown at a sign-up, whatever the door
    "captcha": Rate(600, 60),  # each costs a thousand hashes
    "mail": Rate(120, 60),  # each sends a message; a school class may sign up from one address
    "rpc": Rate(3000, 60),  # codes and tries have their own, stricter bounds
    "read": Rate(12_000, 60),
    "write": Rate(6000, 60),
    "search": Rate(1200, 60),  # each may read thousands of posts, or all names
    "socket": Rate(12_000, 60),  # an office behind one address reconnects at once after a restart
    "page": Rate(1200, 60),
    "operation": Rate(1200, 60),
    "operator": Rate(600, 60),  # of requests that show a key, right or wrong
}
"""Requests per client (an IPv4 address or an IPv6 /64) and name."""

assert set(LIMITS) == set(get_args(LimitName))  # noqa: S101  (the table is complete)


class RateLimits(LimitBook):
    """The limiters of one node; nodes do not share counts."""

    def __init__(
        self, monotonic: Callable[[], float], *, enabled: bool, overrides: Mapping[str, str]
    ) -> None:
        """enabled: False lets every request pass. overrides: other rates of rows, such as "60/1m".

        monotonic: the time in seconds. Raises ValueError for what is no rate.
        """
        rates = LIMITS | {name: Rate.parse(text) for name, text in overrides.items()}
        self.rates: Mapping[str, Rate] = rates if enabled else {}
        self._limiters = {name: Limiter(rate, monotonic) for name, rate in self.rates.items()}

    def become(self, other: "RateLimits") -> None:
        """Takes other rates, at a reload. What was counted stays where the rate does."""
        self._limiters = {
            name: self._limiters[name] if self.rates.get(name) == rate else other._limiters[name]
            for name, rate in other.rates.items()
        }
        self.rates = other.rates

    def held(self) -> Iterator[HeldClient]:
        """The clients whose next request is refused."""
        for name, limiter in self._limiters.items():
            yield from (HeldClient(name, client, wait) for client, wait in limiter.waits())

    def lift(self, client: str) -> int:
        """Lets a client go on at once; in how many limits something of it was counted."""
        key = client_key(client)
        return sum([limiter.forget(key) for limiter in self._limiters.values()])

    def take(self, name: LimitName, client: str, weight: int = 1) -> float | None:
        """Counts a request; returns None when it is allowed, else the seconds to wait. weight: see Limiter."""
        limiter = self._limiters.get(name)
        return None if limiter is None else limiter.take(client_key(client), weight)
