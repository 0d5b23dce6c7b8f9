"""Sending what webhooks are to be told, until each receiver has taken it.

    due ──lease──► being sent ──2xx──► removed, and the next of its subject is due
     ▲                │
     │                ├─ another status        ► waits longer after each attempt, its subject behind it
     │                ├─ no answer, 429, 502 to 504 ► the receiver fails: all of it pauses, longer each time
     │                ├─ 410                   ► the receiver is gone: it is told nothing more
     └────────────────┴─ for TRIED_FOR already ► given up, and counted

At least once: a delivery is removed after the receiver's answer, so a crash between the two sends it again, under the same
webhook-id. In order for each subject: the oldest delivery of a subject is leased with those behind it, and they are sent one
after another; several subjects are sent side by side. The leases of a killed process are released at its next start, or
end after LEASE. Each webhook has a task of its own while it has something to be told, so a slow one delays no other.
"""

import logging
from functools import partial
from typing import Literal, Protocol

import msgspec
import trio

from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration, Instant, after, iso_seconds
from regserver.domain.webhook import (
    HookDelivery,
    Webhook,
    WebhookId,
    WebhookTarget,
    signed_fields,
    write_message,
)
from regserver.group import leaves
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.ports.webhook_sender import WebhookAnswer, WebhookFault, WebhookSender
from regserver.service.webhook_relay import WebhookRelay
from regserver.service.webhook_seal import WebhookSeal

log = logging.getLogger("regserver.webhook")

POLL_SECONDS = 1.0
TRIED_FOR = Duration(3 * DAY)
LEASE = Duration(5 * MINUTE)
RUN_SECONDS = 120.0
"""For the deliveries of one subject in one lease. With the longest time-out it ends before the lease."""
FIRST_DELAY = Duration(5 * SECOND)
LONGEST_DELAY = Duration(4 * HOUR)
FIRST_PAUSE = Duration(2 * SECOND)
LONGEST_PAUSE = Duration(15 * MINUTE)
LATE = Duration(5 * MINUTE)
GONE = 410
RECEIVER_FAILS = frozenset({429, 502, 503, 504})
UNREADABLE = "this server's key does not open it; was the key file replaced?"

HookOutcome = Literal["delivered", "refused", "failed", "given up"]


class HookObserver(Protocol):
    """Receives counts, such as for metrics."""

    def count(self, outcome: HookOutcome) -> None:
        """One attempt ended."""


class HookSending(msgspec.Struct, frozen=True, kw_only=True):
    """What the sending works with. message_key: of the ids of messages. node: the name of this process, see MailDelivery."""

    store: Store
    clock: Clock
    seal: WebhookSeal
    sender: WebhookSender
    observer: HookObserver
    message_key: bytes
    node: str


class WebhookDelivery:
    """One for a process."""

    def __init__(self, parts: HookSending) -> None:
        self._parts = parts
        self._relay = WebhookRelay(parts.store)
        self._served: set[WebhookId] = set()

    async def run(self) -> None:
        """Sends until cancelled; after a fault of the store it tries again."""
        recovered = False
        async with trio.open_nursery() as nursery:
            while True:
                try:
                    if not recovered:
                        await self.recover()
                        recovered = True
                    await self.step(nursery)
                except* StoreFault as group:
                    log.warning("webhooks are told nothing now: %s", leaves(group)[0])
                await self._parts.clock.sleep(POLL_SECONDS)

    async def recover(self) -> int:
        """Releases the leases of this node's last run; returns how many. Raises StoreFault."""
        parts = self._parts
        return await parts.store.write(
            lambda transaction: transaction.hooks.release(parts.node, parts.clock.now())
        )

    async def step(self, nursery: trio.Nursery) -> None:
        """Reads what has happened, and starts a task for each webhook that has something to be told. Raises StoreFault."""
        await self._relay.catch_up()
        now = self._parts.clock.now()
        for webhook in await self._parts.store.read(lambda transaction: transaction.hooks.due(now)):
            if webhook not in self._served:
                self._served.add(webhook)
                nursery.start_soon(self._serve, webhook)

    async def deliver_due(self) -> None:
        """Sends all that is due now. Raises StoreFault."""
        async with trio.open_nursery() as nursery:
            await self.step(nursery)

    async def _serve(self, webhook: WebhookId) -> None:
        try:
            while await self._deliver(webhook):
                pass
        except* StoreFault as group:
            log.warning("webhook %d is told nothing now: %s", webhook, leaves(group)[0])
        except* Exception:
            # Presumably a bug: other webhooks go on, and the leases of this one end.
            log.exception("webhook %d met a bug", webhook)
        finally:
            self._served.discard(webhook)

    async def _deliver(self, number: WebhookId) -> bool:
        """One lease; False when nothing more is due."""
        parts, now = self._parts, self._parts.clock.now()
        until = after(now, LEASE)
        webhook = await parts.store.read(lambda transaction: transaction.hooks.find(number))
        if webhook is None or webhook.disabled_at is not None or webhook.paused_until > now:
            return False
        target = parts.seal.open(number, webhook.sealed)
        if target is None:
            await self._pause(webhook, UNREADABLE, 0)
            return False
        runs = await parts.store.write(
            lambda transaction: transaction.hooks.lease(number, parts.node, now, until)
        )
        async with trio.open_nursery() as nursery:
            for run in runs:
                nursery.start_soon(self._send_run, webhook, target, run)
        return bool(runs)

    async def _send_run(self, webhook: Webhook, target: WebhookTarget, run: tuple[HookDelivery, ...]) -> None:
        """Sends until one fails, and ends the leases that are left."""
        parts = self._parts
        ends = parts.clock.elapsed() + RUN_SECONDS
        for number, delivery in enumerate(run, 1):
            good = await self._send(webhook, target, delivery)
            if good and parts.clock.elapsed() < ends:
                continue
            if number < len(run):
                await parts.store.write(
                    partial(_give_back, webhook.id, delivery.subject, parts.node, parts.clock.now())
                )
            return

    async def _send(self, webhook: Webhook, target: WebhookTarget, delivery: HookDelivery) -> bool:
        message = write_message(delivery, self._parts.message_key)
        fields = signed_fields(message, target.secret, self._parts.clock.now() // 1000)
        try:
            answer = await self._parts.sender.send(target.url, fields, message.body)
        except WebhookFault as fault:
            return await self._receiver_failed(webhook, delivery, str(fault), 0)
        return await self._answered(webhook, delivery, answer)

    async def _answered(self, webhook: Webhook, delivery: HookDelivery, answer: WebhookAnswer) -> bool:
        parts, now = self._parts, self._parts.clock.now()
        if 200 <= answer.status < 300:
            with trio.CancelScope(shield=True):  # otherwise a stop here would send it a second time
                await parts.store.write(
                    lambda transaction: transaction.hooks.delivered(webhook.id, delivery.position, now)
                )
            parts.observer.count("delivered")
            return True
        fault = f"answered {answer.status}"
        if answer.status == GONE:
            log.warning("webhook %d: its receiver is gone (410): it is told nothing more", webhook.id)
            parts.observer.count("given up")
            await parts.store.write(lambda transaction: transaction.hooks.disable(webhook.id, now, fault))
            return False
        if answer.status in RECEIVER_FAILS:
            return await self._receiver_failed(webhook, delivery, fault, answer.retry_after)
        return await self._refused(webhook, delivery, fault)

    async def _refused(self, webhook: Webhook, delivery: HookDelivery, fault: str) -> bool:
        if await self._given_up(webhook, delivery, fault):
            return True
        self._parts.observer.count("refused")
        delay = min(FIRST_DELAY * 2 ** min(delivery.attempts, 30), LONGEST_DELAY)
        due_at = after(self._parts.clock.now(), Duration(delay))
        await self._parts.store.write(
            lambda transaction: transaction.hooks.postpone(webhook.id, delivery.position, due_at, fault)
        )
        return False

    async def _receiver_failed(self, webhook: Webhook, delivery: HookDelivery, fault: str, wait: int) -> bool:
        """wait: seconds that it has asked for."""
        if await self._given_up(webhook, delivery, fault):
            return True
        self._parts.observer.count("failed")
        now = self._parts.clock.now()
        await self._parts.store.write(
            lambda transaction: transaction.hooks.postpone(webhook.id, delivery.position, now, fault)
        )
        await self._pause(webhook, fault, wait)
        return False

    async def _given_up(self, webhook: Webhook, delivery: HookDelivery, fault: str) -> bool:
        """Whether it was tried for long enough: then those behind it have their turn."""
        if self._parts.clock.now() - delivery.due_since < TRIED_FOR:
            return False
        log.warning(
            "webhook %d: event %d was given up: %s (`regserver webhook replay` delivers it again)",
            webhook.id,
            delivery.position,
            fault,
        )
        self._parts.observer.count("given up")
        await self._parts.store.write(
            lambda transaction: transaction.hooks.give_up(webhook.id, delivery.position, fault)
        )
        return True

    async def _pause(self, webhook: Webhook, fault: str, wait: int) -> None:
        if not webhook.failures:
            log.warning(
                "webhook %d: its receiver fails, and what it is to be told waits: %s", webhook.id, fault
            )
        pause = min(FIRST_PAUSE * 2 ** min(webhook.failures, 30), LONGEST_PAUSE)
        until = after(self._parts.clock.now(), Duration(max(pause, wait * SECOND)))
        await self._parts.store.write(lambda transaction: transaction.hooks.pause(webhook.id, until, fault))

    async def check(self) -> str | None:
        """None when all webhooks are told in time; otherwise which is not, since when and why."""
        now = self._parts.clock.now()
        try:
            return await self._parts.store.read(lambda transaction: _late(transaction, now))
        except StoreFault as fault:
            return f"webhooks cannot be read: {fault}"


async def _give_back(
    webhook: WebhookId, subject: str, node: str, now: Instant, transaction: Transaction
) -> None:
    await transaction.hooks.give_back(webhook, subject, node, now)


async def _late(transaction: Transaction, now: Instant) -> str | None:
    for webhook in await transaction.hooks.list():
        if webhook.disabled_at is not None:
            return f"webhook {webhook.id} is told nothing since {iso_seconds(webhook.disabled_at)}: {webhook.fault}"
        backlog = await transaction.hooks.backlog(webhook.id)
        if backlog.oldest is not None and now - backlog.oldest > LATE:
            why = webhook.fault or backlog.fault or "nothing sends it"
            since = iso_seconds(backlog.oldest)
            return f"webhook {webhook.id} is late since {since}: {backlog.waiting} waiting; {why}"
    return None
