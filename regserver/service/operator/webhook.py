"""Webhooks: added, listed, tried, switched off and on, removed; what they are still to be told, and told again."""

from functools import partial

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.instant import Duration, Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import BadWebhook, WebhookNotFound
from regserver.domain.outcome import Refusal
from regserver.domain.webhook import (
    MAX_NOTE_LENGTH,
    MOST_WEBHOOKS,
    SECRET_BYTES,
    HookBacklog,
    HookPosition,
    OutstandingHook,
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
from regserver.ports.transaction import Transaction
from regserver.ports.webhook_sender import WebhookFault, WebhookSender
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.webhook_seal import WebhookSeal

SWITCHED_OFF = "switched off by an operator"
MOST_DELIVERIES = 1000


class WebhookParts(msgspec.Struct, frozen=True, kw_only=True):
    """allow_private: whether receivers may be on private addresses."""

    unit: OperatorUnit
    clock: Clock
    randomness: Randomness
    seal: WebhookSeal
    allow_private: bool = False


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


class WebhookTrial(msgspec.Struct, frozen=True):
    """status: that the receiver answered with; 0 for no answer. fault: why there was none, or why the answer will not do."""

    status: int
    fault: str = ""


class WebhookDesk:
    """The use cases of webhooks."""

    def __init__(self, parts: WebhookParts) -> None:
        self._parts = parts
        self._unit = parts.unit

    async def add(
        self, who: OperatorCredential, url: str, kinds: str, note: str, secret: str = ""
    ) -> AddedWebhook | Denied | BadWebhook:
        """secret: `whsec_…`, or "" for a new one. kinds: names between commas; "" for all. Raises StoreFault."""
        parts = self._parts
        stored = read_kinds(kinds)
        if stored is None:
            return BadWebhook("events", "expected names of events between commas, or nothing for all")
        if fault := url_fault(url, allow_private=parts.allow_private):
            return BadWebhook("url", fault)
        if len(note) > MAX_NOTE_LENGTH or (note and not note.isprintable()):
            return BadWebhook("note", f"expected one line of at most {MAX_NOTE_LENGTH} characters")
        key = read_secret(secret) if secret else parts.randomness.bytes(SECRET_BYTES)
        if key is None:
            return BadWebhook("secret", "expected whsec_ and 24 to 64 bytes in Base64")
        target = WebhookTarget(url, key)

        async def act(transaction: Transaction, now: Instant) -> WebhookId | BadWebhook:
            if len(await transaction.hooks.list()) >= MOST_WEBHOOKS:
                return BadWebhook("", f"there are {MOST_WEBHOOKS} already")
            number = await transaction.hooks.add(b"", stored, note, now)
            await transaction.hooks.reseal(number, parts.seal.seal(number, target))
            transaction.audit.note(AuditNote(action="webhook_added", subject=f"webhook {number}"))
            return number

        added = await self._unit.write(who, Operation.CHANGE_WEBHOOKS, act)
        return added if isinstance(added, Refusal) else AddedWebhook(added, write_secret(key))

    # --- seen
    async def list(self, who: OperatorCredential) -> tuple[ShownWebhook, ...] | Denied:
        """All of them. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[ShownWebhook, ...]:
            return tuple([await self._shown(transaction, each) for each in await transaction.hooks.list()])

        return await self._unit.read(who, Operation.READ_WEBHOOKS, act)

    async def _shown(self, transaction: Transaction, webhook: Webhook) -> ShownWebhook:
        target = self._parts.seal.open(webhook.id, webhook.sealed)
        backlog = await transaction.hooks.backlog(webhook.id)
        return ShownWebhook(webhook, None if target is None else target.url, backlog)

    async def deliveries(
        self, who: OperatorCredential, webhook: WebhookId, limit: int
    ) -> tuple[OutstandingHook, ...] | Denied | WebhookNotFound:
        """What it is still to be told, the oldest first. Raises StoreFault."""

        async def act(
            transaction: Transaction, _now: Instant
        ) -> tuple[OutstandingHook, ...] | WebhookNotFound:
            if await transaction.hooks.find(webhook) is None:
                return WebhookNotFound()
            return await transaction.hooks.outstanding(webhook, min(limit, MOST_DELIVERIES))

        return await self._unit.read(who, Operation.READ_WEBHOOKS, act)

    # --- tried
    async def test(
        self, who: OperatorCredential, webhook: WebhookId, sender: WebhookSender
    ) -> WebhookTrial | Denied | WebhookNotFound:
        """Sends a signed message that tells of nothing, now. Raises StoreFault."""
        parts = self._parts

        async def act(transaction: Transaction, _now: Instant) -> WebhookTarget | WebhookNotFound:
            found = await transaction.hooks.find(webhook)
            target = None if found is None else parts.seal.open(webhook, found.sealed)
            if target is None:
                return WebhookNotFound()
            transaction.audit.note(AuditNote(action="webhook_tested", subject=f"webhook {webhook}"))
            return target

        target = await self._unit.write(who, Operation.CHANGE_WEBHOOKS, act)
        if isinstance(target, Refusal):
            return target
        now = parts.clock.now()
        message = trial_message(parts.randomness.bytes(16).hex(), now)
        try:
            answer = await sender.send(
                target.url, signed_fields(message, target.secret, now // 1000), message.body
            )
        except WebhookFault as fault:
            return WebhookTrial(0, str(fault))
        if 200 <= answer.status < 300:
            return WebhookTrial(answer.status)
        moved = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        return WebhookTrial(answer.status, f"answered {answer.status}{moved}")

    # --- changed
    async def disable(self, who: OperatorCredential, webhook: WebhookId) -> Denied | WebhookNotFound | None:
        """It is told nothing more; what waits for it is lost to it, but for a replay. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> WebhookNotFound | None:
            if await transaction.hooks.find(webhook) is None:
                return WebhookNotFound()
            await transaction.hooks.disable(webhook, now, SWITCHED_OFF)
            transaction.audit.note(AuditNote(action="webhook_disabled", subject=f"webhook {webhook}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_WEBHOOKS, act)

    async def enable(self, who: OperatorCredential, webhook: WebhookId) -> Denied | WebhookNotFound | None:
        """It is told again what happens from now on, also where its receiver failed. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> WebhookNotFound | None:
            if await transaction.hooks.find(webhook) is None:
                return WebhookNotFound()
            await transaction.hooks.replay(webhook, HookPosition(await transaction.hooks.newest() + 1), now)
            transaction.audit.note(AuditNote(action="webhook_enabled", subject=f"webhook {webhook}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_WEBHOOKS, act)

    async def remove(self, who: OperatorCredential, webhook: WebhookId) -> Denied | WebhookNotFound | None:
        """What it was not told is lost to it. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> WebhookNotFound | None:
            if not await transaction.hooks.remove(webhook):
                return WebhookNotFound()
            transaction.audit.note(AuditNote(action="webhook_removed", subject=f"webhook {webhook}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_WEBHOOKS, act)

    async def replay(
        self, who: OperatorCredential, webhook: WebhookId, start: HookPosition | None, last: Duration
    ) -> int | Denied | WebhookNotFound:
        """Delivers again, in order, what is stored from a position on; returns how many. Raises StoreFault.

        start: None for the first event of the time `last`, up to now.
        """
        return await self._unit.write(who, Operation.CHANGE_WEBHOOKS, partial(_replay, webhook, start, last))


async def _replay(
    webhook: WebhookId, start: HookPosition | None, last: Duration, transaction: Transaction, now: Instant
) -> int | WebhookNotFound:
    if await transaction.hooks.find(webhook) is None:
        return WebhookNotFound()
    first = await transaction.hooks.position_since(Instant(now - last)) if start is None else start
    transaction.audit.note(AuditNote(action="webhook_replayed", subject=f"webhook {webhook} from {first}"))
    return await transaction.hooks.replay(webhook, first, now)
