"""Web Push over HTTP: subscriptions, and rooms of which no push tells."""

from collections.abc import Callable

import msgspec

from regserver.domain.outcome import BadSubscription, Refusal, SubscriptionNotFound
from regserver.domain.push import SubscriptionId
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.push_service import PushService, PushWish
from regserver.service.room_admission import Unadmitted
from regserver.service.room_service import NoAccess
from regserver.text import Language
from regserver.web.http.bearer import bearer
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import push_wire as wire


class PushApi(msgspec.Struct, frozen=True):
    """public_key: see PushKey."""

    pushes: PushService
    public_key: Callable[[], str]

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        subscribe = pipeline(self.subscribe, wire.read_subscription, bearer, language_of)
        unsubscribe = pipeline(self.unsubscribe, bearer, wire.read_subscription_id)
        mute, unmute = pipeline(self.mute, bearer), pipeline(self.unmute, bearer)
        return (
            Route("push.key", "GET", "/room/push/key", self.key, "read"),
            Route("push.list", "GET", "/room/push", pipeline(self.list, bearer), "read"),
            Route("push.subscribe", "POST", "/room/push", subscribe, "write"),
            Route("push.unsubscribe", "DELETE", "/room/push/{subscription}", unsubscribe, "write"),
            Route("push.mute", "POST", "/room/mute/{room}", mute, "write"),
            Route("push.unmute", "DELETE", "/room/mute/{room}", unmute, "write"),
        )

    async def key(self, _: Request) -> wire.PushKey:
        """Show the server's public key."""
        return wire.PushKey(self.public_key())

    async def list(self, _: Request, token: SecretHash) -> wire.PushShown | Unadmitted:
        """List the asker's push subscriptions and muted rooms."""
        choices = await self.pushes.choices(token)
        return choices if isinstance(choices, Refusal) else wire.push_shown(choices)

    async def subscribe(
        self, _: Request, body: wire.NewSubscription, token: SecretHash, language: Language
    ) -> wire.SubscriptionMade | BadSubscription | Unadmitted:
        """Be told of the asker's rooms by Web Push while none of their sockets is there, until the session ends."""
        if (target := body.target) is None:
            return BadSubscription()
        made = await self.pushes.subscribe(token, PushWish(target, language, body.shows_content))
        return made if isinstance(made, Refusal) else wire.SubscriptionMade(made)

    async def unsubscribe(
        self, _: Request, token: SecretHash, subscription: SubscriptionId
    ) -> SubscriptionNotFound | Unadmitted | None:
        """End one of the asker's push subscriptions."""
        return await self.pushes.unsubscribe(token, subscription)

    async def mute(self, request: Request, token: SecretHash) -> NoAccess | None:
        """Be told of a room by no push."""
        return await self.pushes.mute(token, request.params["room"])

    async def unmute(self, request: Request, token: SecretHash) -> NoAccess | None:
        """Be told of a room by push again."""
        return await self.pushes.unmute(token, request.params["room"])
