"""Counters of wrong secrets: passwords, codes, keys."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.guess import CounterKey, Failures
from regserver.domain.instant import Instant


class GuessTable(Protocol):
    """A counter is of an account, of a name that nobody has, or of a key of the operator's. It lapses by itself."""

    async def failures(self, counter: CounterKey) -> Failures | None:
        """The counter; None when nothing was counted. It may have lapsed."""

    async def count(self, counter: CounterKey, account: AccountId | None, now: Instant) -> int:
        """Counts one failure, anew if the counter has lapsed; returns how many there are in a row (atomic).

        account: whose counter it is; None for a name or a key of no account.
        """

    async def clear(self, counter: CounterKey) -> None:
        """Resets the counter."""

    async def of_account(self, account: AccountId) -> tuple[Failures, ...]:
        """All counters of the account, the highest first. They may have lapsed."""

    async def forget(self, account: AccountId) -> None:
        """Removes all counters of the account."""

    async def purge(self, now: Instant) -> int:
        """Removes lapsed counters, and the oldest of no account beyond a bound; returns how many."""
