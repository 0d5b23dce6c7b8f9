"""Quotas: what one account may add to the store in a day, so that no signed-up person fills the disk.

Costs are what the store keeps, not what was sent: a post of one byte has a row, an event and its places in the indexes.
The counts are in the store, in the unit of the change itself, so they hold over restarts and over all nodes.
"""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import DAY, SECOND, Instant
from regserver.domain.outcome import QuotaExceeded
from regserver.ports.allowance_table import Usage
from regserver.ports.transaction import Transaction

ROW_BYTES = 512
"""A post, room or stored answer without its content: rows, indexes, and the event."""
MEMBER_BYTES = 192
"""A membership with its indexes, and its place in the event."""
UNLIMITED = 1 << 60


class QuotaPolicy(msgspec.Struct, frozen=True):
    """The most posts, rooms and bytes of one account in a day of UTC; 0 for no bound."""

    daily_posts: int = 0
    daily_rooms: int = 0
    daily_bytes: int = 0


class Quota:
    """Spends the accounts' allowances. Where nothing is bounded nothing is counted."""

    def __init__(self, policy: QuotaPolicy) -> None:
        self._is_bounded = policy != QuotaPolicy()
        self._most = Usage(
            policy.daily_posts or UNLIMITED, policy.daily_rooms or UNLIMITED, policy.daily_bytes or UNLIMITED
        )

    async def spend(
        self, transaction: Transaction, account: AccountId, cost: Usage, now: Instant
    ) -> QuotaExceeded | None:
        """Counts the cost of a change, or refuses it until the next day begins."""
        if not self._is_bounded or await transaction.allowances.spend(account, cost, self._most, now):
            return None
        return QuotaExceeded((DAY - now % DAY) // SECOND + 1)


def post_cost(content: str, *, is_keyed: bool) -> Usage:
    """A post: its text takes a quarter more than its bytes in the pages of a database. is_keyed: its answer is stored."""
    size = len(content) if content.isascii() else len(content.encode())
    return Usage(posts=1, kept_bytes=(2 if is_keyed else 1) * ROW_BYTES + size * 5 // 4)


def room_cost(members: int) -> Usage:
    """A room with this number of members."""
    return Usage(rooms=1, kept_bytes=ROW_BYTES + MEMBER_BYTES * members)


def invitation_cost(newcomers: int) -> Usage:
    """An invitation of this number of people."""
    return Usage(kept_bytes=ROW_BYTES + MEMBER_BYTES * newcomers)
