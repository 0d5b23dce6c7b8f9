"""Accounts that wait, and the mails that tell their persons of the approval."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.sign_up_policy import WaitReason


class WaitingTable(Protocol):
    """Whether an account waits is a column of its own row; a deleted one waits no more."""

    async def end(self, account: AccountId, reasons: Sequence[WaitReason], now: Instant) -> bool:
        """Ends the account's wait, if it waits for one of these; returns whether it did (atomic)."""

    async def list(self, limit: int) -> tuple[Account, ...]:
        """Accounts that wait, those that wait longest first."""

    async def count(self) -> int:
        """How many wait for an approval."""

    async def since_before(self, before: Instant, limit: int) -> tuple[AccountId, ...]:
        """Accounts that were made before then and still wait, those that wait longest first."""

    async def keep_mail(self, account: AccountId, sealed: bytes) -> None:
        """Keeps a sealed mail for the time of the approval."""

    async def take_mail(self, account: AccountId) -> bytes | None:
        """The mail, which is kept no longer; None where there is none (atomic)."""
