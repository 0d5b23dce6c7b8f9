"""The operator's use cases of webhooks: adding, listing and removing them, trying them, delivering again."""

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.webhook import (
    MAX_NOTE_LENGTH,
    MOST_WEBHOOKS,
    SECRET_BYTES,
    HookBacklog,
    HookPosition,
    Webhook,
    WebhookId,
    WebhookTarget,
    read_kinds,
    read_secret,
    signed_fields,
    trial_message,
    url_fault,
    write_secret,
)
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.ports.webhook_sender import WebhookAnswer, WebhookSender
from regserver.service.webhook_seal import WebhookSeal


class WebhookParts(msgspec.Struct, frozen=True, kw_only=True):
    """allow_private: whether receivers may be on private addresses."""

    store: Store
    clock: Clock
    randomness: Randomness
    seal: WebhookSeal
    allow_private: bool = False


class WrongWebhook(msgspec.Struct, frozen=True):
    """What is wrong with a webhook to be. field: url, events, note, secret, or "" where there are too many of them."""

    field: str
    reason: str


class NoWebhook(msgspec.Struct, frozen=True):
    """There is none of this number, or it was sealed with another key."""


class AddedWebhook(msgspec.Struct, frozen=True):
    """secret: shown this once, in the form of Standard Webhooks."""

    id: WebhookId
    secret: str

    def __repr__(self) -> str:
        return f"AddedWebhook({self.id})"


class ShownWebhook(msgspec.Struct, frozen=True):
    """A webhook as the operator sees it. url: None where it was sealed with another key."""

    webhook: Webhook
    url: str | None
    backlog: HookBacklog

    @property
    def fault(self) -> str | None:
        """What is wrong with its receiver, or why it refused something that waits."""
        return self.webhook.fault or self.backlog.fault


class WebhookService:
    """The use cases of `regserver webhook`."""

    def __init__(self, parts: WebhookParts) -> None:
        self._parts = parts

    async def add(self, url: str, kinds: str, note: str, secret: str = "") -> AddedWebhook | WrongWebhook:
        """secret: `whsec_…`, or "" for a new one. kinds: names between commas; "" for all. Raises StoreFault."""
        parts = self._parts
        stored = read_kinds(kinds)
        if stored is None:
            return WrongWebhook("events", "expected names of events between commas, or nothing for all")
        if fault := url_fault(url, allow_private=parts.allow_private):
            return WrongWebhook("url", fault)
        if len(note) > MAX_NOTE_LENGTH or (note and not note.isprintable()):
            return WrongWebhook("note", f"expected one line of at most {MAX_NOTE_LENGTH} characters")
        key = read_secret(secret) if secret else parts.randomness.bytes(SECRET_BYTES)
        if key is None:
            return WrongWebhook("secret", "expected whsec_ and 24 to 64 bytes in Base64")
        target = WebhookTarget(url, key)

        async def work(transaction: Transaction) -> WebhookId | WrongWebhook:
            if len(await transaction.hooks.list()) >= MOST_WEBHOOKS:
                return WrongWebhook("", f"there are {MOST_WEBHOOKS} already")
            number = await transaction.hooks.add(b"", stored, note, parts.clock.now())
            await transaction.hooks.reseal(number, parts.seal.seal(number, target))
            return number

        added = await parts.store.write(work)
        return added if isinstance(added, WrongWebhook) else AddedWebhook(added, write_secret(key))

    async def list(self) -> tuple[ShownWebhook, ...]:
        """All of them. Raises StoreFault."""

        async def work(transaction: Transaction) -> tuple[ShownWebhook, ...]:
            shown = []
            for webhook in await transaction.hooks.list():
                target = self._parts.seal.open(webhook.id, webhook.sealed)
                backlog = await transaction.hooks.backlog(webhook.id)
                shown.append(ShownWebhook(webhook, None if target is None else target.url, backlog))
            return tuple(shown)

        return await self._parts.store.read(work)

    async def remove(self, webhook: WebhookId) -> bool:
        """What it was not told is lost to it; False when there is none. Raises StoreFault."""
        return await self._parts.store.write(lambda transaction: transaction.hooks.remove(webhook))

    async def test(self, webhook: WebhookId, sender: WebhookSender) -> WebhookAnswer | NoWebhook:
        """Sends a signed message that tells of nothing, now. Raises StoreFault, WebhookFault."""
        parts = self._parts
        found = await parts.store.read(lambda transaction: transaction.hooks.find(webhook))
        target = None if found is None else parts.seal.open(webhook, found.sealed)
        if target is None:
            return NoWebhook()
        now = parts.clock.now()
        message = trial_message(parts.randomness.bytes(16).hex(), now)
        return await sender.send(target.url, signed_fields(message, target.secret, now // 1000), message.body)

    async def replay(self, webhook: WebhookId, start: HookPosition | None, since: Instant) -> int | NoWebhook:
        """Delivers again, in order, what is stored from a position on; returns how many. Raises StoreFault.

        start: None for the first event at or after `since`.
        """

        async def work(transaction: Transaction) -> int | NoWebhook:
            if await transaction.hooks.find(webhook) is None:
                return NoWebhook()
            first = await transaction.hooks.position_since(since) if start is None else start
            return await transaction.hooks.replay(webhook, first, self._parts.clock.now())

        return await self._parts.store.write(work)
