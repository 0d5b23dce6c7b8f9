"""Where people want to be told of their rooms while no socket of theirs is there, and of which rooms not."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.push import EndpointHash, PushSubscription, SubscriptionId
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId
from regserver.domain.secret import SecretHash


class NewPushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription of a session. sealed: its target. language: of the texts in its messages."""

    account: AccountId
    token: SecretHash
    endpoint: EndpointHash
    host: str
    sealed: bytes
    language: str
    shows_content: bool
    created_at: Instant


class KnownSubscription(msgspec.Struct, frozen=True):
    """A subscription as messages are sent to it."""

    account: AccountId
    sealed: bytes
    language: str
    shows_content: bool


class PushSubscriptionTable(Protocol):
    """A subscription ends with its session. An endpoint is one account's: the last that has subscribed it."""

    async def add(self, new: NewPushSubscription, most: int) -> SubscriptionId:
        """Adds a subscription, or takes its endpoint over; of more than `most` of the account the oldest end."""

    async def any(self) -> bool:
        """Whether there is one at all."""

    async def of_account(self, account: AccountId) -> tuple[PushSubscription, ...]:
        """The account's, the newest first."""

    async def remove(self, account: AccountId, subscription: SubscriptionId) -> bool:
        """Ends one of the account's, with its messages; False where it has no such."""

    async def drop(self, subscription: SubscriptionId) -> None:
        """Ends one that its push service no longer knows, with its messages."""

    async def find(self, subscription: SubscriptionId, now: Instant) -> KnownSubscription | None:
        """One whose session and account are there."""

    async def of_room(
        self, room: RoomId, event: EventId, now: Instant
    ) -> tuple[tuple[SubscriptionId, AccountId], ...]:
        """Those of members since before the event who have not muted the room."""

    async def of_accounts(
        self, accounts: Sequence[AccountId], now: Instant
    ) -> tuple[tuple[SubscriptionId, AccountId], ...]:
        """Those of these accounts."""

    async def mute(self, account: AccountId, room: RoomId, most: int) -> None:
        """The account is not told of the room; beyond `most` nothing is added."""

    async def unmute(self, account: AccountId, room: RoomId) -> None:
        """It is told again."""

    async def muted(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms of which the account is not told."""
