"""Builds the webhooks: telling the operator's services what happens here."""

from contextlib import AsyncExitStack

from regserver.adapters.late_webhook import LateWebhookClient
from regserver.adapters.server_key import ServerKey
from regserver.app.base import AppPart, Base
from regserver.config import Settings
from regserver.metric import HookCounter
from regserver.ports.randomness import Randomness
from regserver.service.webhook_delivery import HookSending, WebhookDelivery
from regserver.service.webhook_seal import WebhookSeal


async def open_webhooks(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the sending of what webhooks are told."""
    parts = HookSending(
        store=base.store,
        clock=base.clock,
        seal=webhook_seal(base.key, base.randomness),
        sender=await stack.enter_async_context(webhook_client(base.settings)),
        observer=HookCounter(base.web.metrics),
        message_key=base.key.derive("webhook message"),
        node=base.node,
    )
    delivery = WebhookDelivery(parts)
    return AppPart(useful=(("webhook", delivery.check),), background=(delivery.run,))


def webhook_seal(key: ServerKey, randomness: Randomness) -> WebhookSeal:
    """The seal of their addresses and keys."""
    return WebhookSeal(key.derive("webhook"), randomness)


def webhook_client(settings: Settings) -> LateWebhookClient:
    """The client that asks receivers."""
    return LateWebhookClient(allow_private=settings.webhook.allow_private, timeout=settings.webhook.timeout)
