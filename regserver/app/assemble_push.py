"""Builds Web Push: its routes, the feed from the event log, and the sending."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import cache, partial

from regserver.adapters.push.late_push import LatePush, PushParts, is_receiver_key, push_public_key
from regserver.app.base import AppPart, Base
from regserver.config.setting import sign_up_policy
from regserver.domain.room_event import RoomEvent
from regserver.service.push_delivery import PushDelivery, PushDeliveryParts
from regserver.service.push_feed import PushFeed, PushFeedParts
from regserver.service.push_seal import PushSeal
from regserver.service.push_service import PushService
from regserver.service.push_withdrawal import SHARED_WAIT, PushWithdrawal
from regserver.service.room_admission import RoomAdmission
from regserver.web.rooms.push_endpoint import PushApi
from regserver.web.rooms.push_wire import write_push


async def open_push(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens /room/push and its work, unless it is switched off."""
    section = base.settings.push
    if not section.enabled or not sign_up_policy(base.settings).serves("rooms"):
        return AppPart()
    parts = PushParts(base.key, base.clock, push_subject(base), base.randomness, section.allow_private)
    sender = await stack.enter_async_context(LatePush(parts))
    seal = PushSeal(base.key.derive("push"), base.randomness)
    count = base.web.metrics.pushes
    delivery = PushDelivery(
        PushDeliveryParts(
            store=base.store,
            clock=base.clock,
            sender=sender,
            seal=seal,
            write=write_push,
            present=base.broker.accounts,
            count=lambda outcome: count.labels(outcome).inc(),
            topic_key=base.key.derive("push topic"),
            ttl=section.ttl,
            node=base.node,
        )
    )
    is_shared = bool(base.web.node)
    wait = max(section.wait, SHARED_WAIT) if is_shared else section.wait
    feed = PushFeed(PushFeedParts(base.store, base.clock, base.broker.accounts, wait, delivery.wake_nowait))
    withdrawal = PushWithdrawal(base.store, base.clock, base.broker.accounts)

    def heard(events: Sequence[RoomEvent]) -> None:
        base.broker.publish_nowait(events)
        feed.wake_nowait()

    base.store.listen(heard)
    admission = RoomAdmission(base.identity, requires_verified=base.settings.login.verify_email == "require")
    pushes = PushService(admission, seal, is_receiver_key, allow_private=section.allow_private)
    work = (feed.run, delivery.run, withdrawal.run) if is_shared else (feed.run, delivery.run)
    return AppPart(routes=PushApi(pushes, cache(partial(push_public_key, parts))).routes(), background=work)


def push_subject(base: Base) -> str:
    """The operator's address for push services: the setting, the server's own https address, or where its mail comes from."""
    settings = base.settings
    if settings.push.contact:
        return settings.push.contact
    public = settings.server.public_url
    return public if public.startswith("https://") else f"mailto:{settings.mail.from_}"
