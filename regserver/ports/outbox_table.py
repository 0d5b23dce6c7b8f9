"""The outbox: encrypted mail that waits, is leased to one node at a time, and is sent or parked."""

from collections.abc import Sequence
from typing import NewType, Protocol

import msgspec

from regserver.domain.instant import Instant

OutboxId = NewType("OutboxId", int)


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the outbox.

    attempts: how often it was leased, including the present lease.
    parked_at: when it was set aside for the operator; None while it is still sent automatically.
    fault: why the last attempt failed, for the operator; contains nothing of the message.
    """

    id: OutboxId
    sealed: bytes
    created_at: Instant
    due_at: Instant
    attempts: int
    parked_at: Instant | None
    fault: str | None


class Backlog(msgspec.Struct, frozen=True):
    """The numbers of waiting and of parked messages; when the oldest waiting one was written, and when the first is due."""

    waiting: int
    oldest_at: Instant | None
    due_at: Instant | None
    parked: int


class OutboxTable(Protocol):
    """node: the name of the sending process, unique among those that share the store. All changes are atomic."""

    async def add(self, sealed: bytes, now: Instant) -> None:
        """Adds a message, due at once."""

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[OutboxMessage, ...]:
        """Leases due messages, oldest first; no other node gets them before `until`."""

    async def release(self, node: str, now: Instant) -> int:
        """Makes due again the messages that an earlier run of this node had leased; returns how many."""

    async def remove(self, message: OutboxId) -> None:
        """Removes a message that was sent."""

    async def postpone(self, message: OutboxId, due_at: Instant, attempts: int, fault: str) -> None:
        """Ends the lease; the message is due again at `due_at`."""

    async def park(self, message: OutboxId, now: Instant, fault: str) -> None:
        """Ends the lease and sets the message aside for the operator."""

    async def requeue(self, messages: Sequence[OutboxId] | None, now: Instant) -> int:
        """Makes messages (None: all), parked or waiting, due at once with no attempts; returns how many.

        A leased message is left to its node.
        """

    async def list(self, limit: int) -> tuple[OutboxMessage, ...]:
        """Parked messages first, then waiting ones, oldest first."""

    async def page(self, after: OutboxId, limit: int) -> tuple[OutboxMessage, ...]:
        """The first messages behind this id, by their ids."""

    async def purge(self, parked_before: Instant) -> int:
        """Removes messages that were parked before then; returns how many."""

    async def backlog(self) -> Backlog:
        """The state of the outbox in numbers."""
