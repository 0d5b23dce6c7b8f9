"""The outbox: sealed mail that waits for its turn, is leased to one node at a time, and is sent or parked."""

from collections.abc import Sequence
from typing import NewType, Protocol

import msgspec

from regserver.domain.instant import Instant

OutboxId = NewType("OutboxId", int)


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the outbox.

    attempts: how often it was leased for sending, this time included.
    parked_at: when it was set aside for the operator; None while it is tried by itself.
    fault: why the last attempt failed, fit for the operator's eyes, without anything of the message.
    """

    id: OutboxId
    sealed: bytes
    created_at: Instant
    due_at: Instant
    attempts: int
    parked_at: Instant | None
    fault: str | None


class Backlog(msgspec.Struct, frozen=True):
    """How much mail waits, since when the oldest does, since when the first could go out, and how much is parked."""

    waiting: int
    oldest_at: Instant | None
    due_at: Instant | None
    parked: int


class OutboxTable(Protocol):
    """node: the name of the sending process, its own among those that share the store. All changes are atomic."""

    async def add(self, sealed: bytes, now: Instant) -> None:
        """Puts a message in, due at once."""

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[OutboxMessage, ...]:
        """Takes messages that are due, oldest first; no other node gets them before `until`."""

    async def release(self, node: str, now: Instant) -> int:
        """Makes due again what an earlier run of this node had leased, and nothing of other nodes; how many."""

    async def remove(self, message: OutboxId) -> None:
        """The message was sent."""

    async def postpone(self, message: OutboxId, due_at: Instant, attempts: int, fault: str) -> None:
        """Ends the lease; the message is due again at `due_at`."""

    async def park(self, message: OutboxId, now: Instant, fault: str) -> None:
        """Ends the lease and sets the message aside for the operator."""

    async def requeue(self, messages: Sequence[OutboxId] | None, now: Instant) -> int:
        """Makes these messages (None: all), parked or waiting, due at once and as good as new; how many.

        What is leased is left to its node.
        """

    async def list(self, limit: int) -> tuple[OutboxMessage, ...]:
        """Parked messages first, then waiting ones, oldest first."""

    async def purge(self, parked_before: Instant) -> int:
        """Removes what was parked before then; how many."""

    async def backlog(self) -> Backlog:
        """The state of the outbox in figures."""
