"""The bound on guessing: how many wrong secrets in a row are free, how long each further one has to wait, when it ends.

    failures in a row   0 … 4    5     6     7   …   15 …     100
    the next one waits  –        1 s   2 s   4 s     15 min   a day; then the count begins anew

Whoever has to wait is refused before anything is compared, so a right secret is not told apart from a wrong one. NIST
SP 800-63B-4, 3.2.2, allows 100 failures in a row.
"""

import hashlib
import hmac
from typing import NewType

import msgspec

from regserver.domain.address import client_key
from regserver.domain.instant import DAY, MINUTE, SECOND, Duration, Instant

CounterKey = NewType("CounterKey", bytes)
"""Keyed hash of what is guessed at: people also type passwords into the field for the name."""
NetworkHash = NewType("NetworkHash", bytes)
"""Keyed hash of a client's network: its IPv4 address, or its IPv6 /64."""

FREE_FAILURES = 5
MOST_FAILURES = 100
LONGEST_WAIT = Duration(15 * MINUTE)
LAPSE = DAY
"""A count ends so long after its last failure; the wait after MOST_FAILURES is as long."""
NETWORK_KNOWN = Duration(30 * DAY)
"""How long a network stays known to an account that signed in from it."""


class Failures(msgspec.Struct, frozen=True):
    """Failures in a row, and when the last one was."""

    count: int
    last_at: Instant


NO_FAILURES = Failures(0, Instant(0))


def as_of_now(found: Failures | None, now: Instant) -> Failures:
    """The failures that still count."""
    return NO_FAILURES if found is None or found.last_at + LAPSE <= now else found


def time_left(failures: Failures, now: Instant) -> Duration:
    """How long the next guess has to wait; 0 when it may be made."""
    if failures.last_at > now:  # the clock was set back: nobody is kept out until it has caught up
        return Duration(0)
    return Duration(max(0, failures.last_at + wait_after(failures.count) - now))


def wait_after(count: int) -> Duration:
    """The wait after so many failures in a row."""
    if count < FREE_FAILURES:
        return Duration(0)
    if count >= MOST_FAILURES:
        return LAPSE
    return Duration(min(SECOND << (count - FREE_FAILURES), LONGEST_WAIT))


class GuessHash:
    """The keyed hashes of this installation. key: 32 bytes, from a key outside the database."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def network(self, address: str) -> NetworkHash | None:
        """The key of a client's network; None where the address is unknown."""
        return NetworkHash(self._mac("network", client_key(address))) if address else None

    def counter(self, target: str, network: NetworkHash | None = None) -> CounterKey:
        """The key of a counter. network: a known one, which has a counter of its own; None: that of all others."""
        return CounterKey(self._mac("counter", target, (network or b"").hex()))

    def _mac(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)
