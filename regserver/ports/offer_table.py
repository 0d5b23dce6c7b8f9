"""Rooms that were offered to accounts which have not answered yet."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import RoomEvent


class Offer(msgspec.Struct, frozen=True):
    """A room that waits for somebody's answer. name: None for a room without one. host: who offered it."""

    room: RoomId
    name: str | None
    host: AccountId
    host_username: str
    offered_at: Instant


class OfferTable(Protocol):
    """At most one offer of a room to an account. Lock.ACCOUNT guards the offers of an account."""

    async def add(self, event: RoomEvent, accounts: Sequence[AccountId]) -> None:
        """Offers the event's room, in the name of its actor; a pending offer stays as it is (atomic)."""

    async def pending(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The accounts among these that the room is offered to already."""

    async def take(self, room: RoomId, account: AccountId, since: Instant) -> AccountId | None:
        """Ends the offer; returns who made it, None if there is none that was made after `since` (atomic)."""

    async def of_account(self, account: AccountId, since: Instant, limit: int) -> tuple[Offer, ...]:
        """The offers to the account that were made after `since`, newest first."""

    async def remove_all(self, account: AccountId) -> None:
        """Ends all offers to the account and by it."""

    async def purge(self, before: Instant) -> int:
        """Removes offers that were made before; returns how many."""
