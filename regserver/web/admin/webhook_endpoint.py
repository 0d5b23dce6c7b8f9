"""The operator's endpoints of webhooks."""

from regserver.domain.operator_outcome import BadWebhook, WebhookNotFound
from regserver.domain.outcome import Refusal
from regserver.domain.webhook import WebhookId
from regserver.endpoint import Request
from regserver.ports.webhook_sender import WebhookSender
from regserver.service.operator.unit import Denied, KeyHolder
from regserver.service.operator.webhook import MOST_DELIVERIES, WebhookDesk
from regserver.web.admin import ask, show_webhook
from regserver.web.admin.ask_webhook import (
    NewWebhookBody,
    ReplayBody,
    read_new_webhook,
    read_replay,
    read_webhook_id,
)
from regserver.web.http.pipeline import pipeline
from regserver.web.http.rate_limit import LimitName
from regserver.web.http.route import Route

WEBHOOK = "/admin/webhooks/{webhook}"
LIMIT: LimitName = "operator"


class WebhookAdminApi:
    """sender: of messages for trying."""

    def __init__(self, webhooks: WebhookDesk, sender: WebhookSender) -> None:
        self._webhooks = webhooks
        self._sender = sender

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        key, one, limit = ask.caller, read_webhook_id, LIMIT
        added = pipeline(self.add, read_new_webhook, key)
        again = pipeline(self.replay, read_replay, key, one)
        return (
            Route("admin.webhooks", "GET", "/admin/webhooks", pipeline(self.list, key), limit),
            Route("admin.add_webhook", "POST", "/admin/webhooks", added, limit),
            Route("admin.remove_webhook", "DELETE", WEBHOOK, pipeline(self.remove, one, key), limit),
            Route(
                "admin.deliveries", "GET", f"{WEBHOOK}/deliveries", pipeline(self.deliveries, one, key), limit
            ),
            Route("admin.test_webhook", "POST", f"{WEBHOOK}/test", pipeline(self.test, one, key), limit),
            Route("admin.disable", "POST", f"{WEBHOOK}/disable", pipeline(self.disable, one, key), limit),
            Route("admin.enable", "POST", f"{WEBHOOK}/enable", pipeline(self.enable, one, key), limit),
            Route("admin.replay", "POST", f"{WEBHOOK}/replay", again, limit),
        )

    async def list(self, _: Request, who: KeyHolder) -> show_webhook.WebhookList | Denied:
        """List webhooks."""
        found = await self._webhooks.list(who)
        if isinstance(found, Refusal):
            return found
        return show_webhook.WebhookList(tuple(map(show_webhook.webhook_body, found)))

    async def add(
        self, _: Request, body: NewWebhookBody, who: KeyHolder
    ) -> show_webhook.WebhookMade | Denied | BadWebhook:
        """Add a webhook, which is told what happens from now on."""
        added = await self._webhooks.add(who, body.url, ",".join(body.events), body.note)
        return added if isinstance(added, Refusal) else show_webhook.WebhookMade(added.id, added.secret)

    async def remove(self, _: Request, webhook: WebhookId, who: KeyHolder) -> Denied | WebhookNotFound | None:
        """Remove a webhook. What it was not told is lost to it."""
        return await self._webhooks.remove(who, webhook)

    async def deliveries(
        self, _: Request, webhook: WebhookId, who: KeyHolder
    ) -> show_webhook.DeliveryList | Denied | WebhookNotFound:
        """List what a webhook is still to be told."""
        found = await self._webhooks.deliveries(who, webhook, MOST_DELIVERIES)
        if isinstance(found, Refusal):
            return found
        return show_webhook.DeliveryList(tuple(map(show_webhook.delivery_body, found)))

    async def test(
        self, _: Request, webhook: WebhookId, who: KeyHolder
    ) -> show_webhook.WebhookTried | Denied | WebhookNotFound:
        """Send a webhook a message that tells of nothing."""
        trial = await self._webhooks.test(who, webhook, self._sender)
        if isinstance(trial, Refusal):
            return trial
        return show_webhook.WebhookTried(webhook, trial.status, trial.fault)

    async def disable(
        self, _: Request, webhook: WebhookId, who: KeyHolder
    ) -> Denied | WebhookNotFound | None:
        """Switch a webhook off. What waits for it is told by a replay only."""
        return await self._webhooks.disable(who, webhook)

    async def enable(self, _: Request, webhook: WebhookId, who: KeyHolder) -> Denied | WebhookNotFound | None:
        """Switch a webhook on, also where its receiver had failed: it is told what happens from now on."""
        return await self._webhooks.enable(who, webhook)

    async def replay(
        self, _: Request, body: ReplayBody, who: KeyHolder, webhook: WebhookId
    ) -> show_webhook.WebhookReplayed | Denied | WebhookNotFound:
        """Deliver events again, in their order."""
        count = await self._webhooks.replay(who, webhook, body.start, body.life)
        return count if isinstance(count, Refusal) else show_webhook.replayed(webhook, count)
