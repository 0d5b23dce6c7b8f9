"""Whom an account keeps out of its rooms."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant


class Block(msgspec.Struct, frozen=True):
    """Somebody who cannot bring the account into rooms. account: the one who is kept out."""

    account: AccountId
    username: str
    since: Instant


class BlockTable(Protocol):
    """At most one row for each two accounts."""

    async def add(self, account: AccountId, blocked: AccountId, now: Instant, most: int) -> bool:
        """Keeps `blocked` out, if it is not kept out yet; False where the account keeps `most` out already (atomic)."""

    async def remove(self, account: AccountId, blocked: AccountId) -> None:
        """Lets `blocked` in again."""

    async def of_account(self, account: AccountId) -> tuple[Block, ...]:
        """Whom the account keeps out, in the order of their ids."""

    async def blockers(self, blocked: AccountId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The accounts among these that keep `blocked` out."""

    async def remove_all(self, account: AccountId) -> None:
        """Removes the blocks of the account and those against it."""
