"""Webhooks, the events that they are told, and the deliveries that are outstanding."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId
from regserver.domain.webhook import (
    HookBacklog,
    HookDelivery,
    HookPosition,
    NewHookEvent,
    OutstandingHook,
    Webhook,
    WebhookId,
)


class HookTable(Protocol):
    """An event is stored if a webhook is to be told of it. node: the name of the sending process."""

    async def add(self, sealed: bytes, kinds: str, note: str, now: Instant) -> WebhookId:
        """Adds a webhook, which is told what happens from now on."""

    async def reseal(self, webhook: WebhookId, sealed: bytes) -> None:
        """Replaces where it is and its key."""

    async def remove(self, webhook: WebhookId) -> bool:
        """Removes it with its outstanding deliveries; False when there is none."""

    async def find(self, webhook: WebhookId) -> Webhook | None:
        """The webhook of this number."""

    async def list(self) -> tuple[Webhook, ...]:
        """All of them, by their numbers."""

    async def backlog(self, webhook: WebhookId) -> HookBacklog:
        """What it is still to be told."""

    async def outstanding(self, webhook: WebhookId, limit: int) -> tuple[OutstandingHook, ...]:
        """The same one by one, the oldest first."""

    # --- events
    async def tell(self, event: NewHookEvent) -> None:
        """Stores the event with a delivery for each webhook that is told of its kind; nothing where there is none."""

    async def wanted(self, kinds: Sequence[str]) -> bool:
        """Whether a webhook is told of one of these kinds."""

    async def position(self) -> EventId:
        """Up to where the rooms' log is told."""

    async def move(self, before: EventId, after: EventId) -> None:
        """Moves it. Conflict when another process has moved it meanwhile (atomic)."""

    async def newest(self) -> HookPosition:
        """The position of the newest event; 0 for none."""

    async def position_since(self, at: Instant) -> HookPosition:
        """That of the first event from then on; behind the newest where there is none."""

    async def replay(self, webhook: WebhookId, start: HookPosition, now: Instant) -> int:
        """Delivers the stored events from there on once more, unless they are outstanding; returns how many.

        A webhook that is disabled or paused goes on.
        """

    # --- deliveries
    async def due(self, now: Instant) -> tuple[WebhookId, ...]:
        """The webhooks that have something to be told now."""

    async def lease(
        self, webhook: WebhookId, node: str, now: Instant, until: Instant
    ) -> tuple[tuple[HookDelivery, ...], ...]:
        """Leases runs of deliveries, each the oldest of one subject in their order: nobody else gets one of that subject before
        `until`.
        """

    async def release(self, node: str, now: Instant) -> int:
        """Makes due again what an earlier run of this node had leased; returns how many."""

    async def delivered(self, webhook: WebhookId, position: HookPosition, now: Instant) -> None:
        """Removes the delivery. The receiver is well."""

    async def postpone(self, webhook: WebhookId, position: HookPosition, due_at: Instant, fault: str) -> None:
        """Ends the lease; it is due again at `due_at`, and one attempt more is counted."""

    async def give_back(self, webhook: WebhookId, subject: str, node: str, now: Instant) -> None:
        """Ends the leases of one subject that are left."""

    async def give_up(self, webhook: WebhookId, position: HookPosition, fault: str) -> None:
        """Removes the delivery, and counts it as given up."""

    async def pause(self, webhook: WebhookId, until: Instant, fault: str) -> None:
        """The receiver itself fails: nothing is due before then."""

    async def disable(self, webhook: WebhookId, now: Instant, fault: str) -> None:
        """The receiver is gone: removes its deliveries; it is told nothing until a replay."""

    async def purge(self, before: Instant, most: int) -> int:
        """Removes events from before then, and all but the newest `most`; returns how many."""
