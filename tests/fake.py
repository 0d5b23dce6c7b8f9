"""Stand-ins for what a test must control: the clock and randomness. Everything else in the tests is real."""

import random
from functools import partial

from regserver.domain.account import erased_name
from regserver.domain.contact import ContactClaim, Pepper, contact_of_email
from regserver.domain.instant import Instant
from regserver.domain.journal import JournalSeal
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness

JOURNAL_SEAL = JournalSeal(b"a key of the journal for tests..")
NAME_HASH = partial(erased_name, b"names".ljust(32))
PEPPER = Pepper(b"a pepper for tests, 32 bytes long")


def claim_of(email: str, *, is_verified: bool = True) -> ContactClaim:
    """An address of an account to be."""
    return PEPPER.claim(contact_of_email(email), is_verified=is_verified)


EPOCH = Instant(1_600_000_000_000)
"""2020-09-13T12:26:40Z: where the test clock starts."""


class ManualClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, start: int = EPOCH) -> None:
        self._now = Instant(start)

    def now(self) -> Instant:
        return self._now

    def advance(self, milliseconds: int) -> None:
        self._now = Instant(self._now + milliseconds)


class SeededRandomness(Randomness):
    """The same numbers in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311  (for tests only)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def below(self, bound: int) -> int:
        return self._random.randrange(bound)
