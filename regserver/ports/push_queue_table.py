"""The messages that wait to be pushed, and the place in the event log up to which they were written."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.push import PushMessage
from regserver.domain.room_event import EventId


class PushQueueTable(Protocol):
    """Of one room at most one message waits for each subscription. node: the name of the sending process."""

    async def position(self) -> EventId:
        """The last event whose messages were written."""

    async def move(self, position: EventId, before: EventId) -> bool:
        """Moves the position on; False if it is not at `before` any more (atomic)."""

    async def add(self, messages: Sequence[PushMessage], due_at: Instant) -> None:
        """Adds messages; one that waits already about the same room becomes the newer one and stands for more posts (atomic)."""

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[PushMessage, ...]:
        """Leases due messages; no other node gets them before `until` (atomic)."""

    async def release(self, node: str, now: Instant) -> int:
        """Makes due again what an earlier run of this node had leased; how many (atomic)."""

    async def remove(self, message: PushMessage) -> None:
        """The message is done, unless it has come to stand for more posts meanwhile: then it is due again (atomic)."""

    async def postpone(self, message: PushMessage, due_at: Instant) -> None:
        """Ends the lease; the message is due again at `due_at`."""

    async def awaited(self, limit: int) -> tuple[AccountId, ...]:
        """Whose messages wait without being sent, those that are due first; at most `limit`."""

    async def withdraw(self, accounts: Sequence[AccountId]) -> None:
        """Removes the messages of these accounts that wait without being sent (atomic)."""

    async def next_due(self) -> Instant | None:
        """When the first message is due; None when nothing waits."""
