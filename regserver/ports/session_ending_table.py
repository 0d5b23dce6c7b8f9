"""Whose sessions have ended, told to every process that serves on the store."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId


class SessionEnding(msgspec.Struct, frozen=True):
    """Sessions of an account have ended, or the account. id: from a sequence, so a lower one may become visible later."""

    id: int
    account_id: AccountId


class SessionEndingTable(Protocol):
    """What one process ends and others must notice, since sockets of these sessions may be open there."""

    async def add(self, account: AccountId) -> None:
        """Tells that something of the account has ended. Other processes are woken after the commit."""

    async def after(self, number: int) -> Sequence[SessionEnding]:
        """Those with a greater id, in order."""

    async def ends(self) -> tuple[int, int]:
        """The least and the greatest id; zeros without any."""

    async def purge(self) -> None:
        """Removes all but the newest."""
