"""A person's subscriptions to Web Push, and the rooms that they are not told of."""

from typing import Protocol

import msgspec

from regserver.domain.account import Account
from regserver.domain.instant import Instant
from regserver.domain.outcome import BadSubscription, SubscriptionNotFound
from regserver.domain.push import (
    MAX_MUTES,
    MAX_SUBSCRIPTIONS,
    PushSubscription,
    PushTarget,
    SubscriptionId,
    is_endpoint,
)
from regserver.domain.room import RoomId
from regserver.domain.secret import SecretHash
from regserver.ports.push_subscription_table import NewPushSubscription
from regserver.ports.transaction import Transaction
from regserver.service.push_seal import PushSeal
from regserver.service.room_admission import RoomAdmission, Unadmitted
from regserver.service.room_service import NoAccess, RoomActor, in_room


class KeyCheck(Protocol):
    """Whether these bytes are a public key that messages can be encrypted for."""

    def __call__(self, key: bytes, /) -> bool: ...


class PushWish(msgspec.Struct, frozen=True):
    """A subscription that somebody asks for. language: of the texts. shows_content: whether messages have the posts in them."""

    target: PushTarget
    language: str
    shows_content: bool


class PushChoices(msgspec.Struct, frozen=True):
    """What somebody has chosen."""

    subscriptions: tuple[PushSubscription, ...]
    muted: tuple[RoomId, ...]


class PushService:
    """allow_private: see is_endpoint."""

    def __init__(
        self, admission: RoomAdmission, seal: PushSeal, is_key: KeyCheck, *, allow_private: bool
    ) -> None:
        self._admission = admission
        self._seal = seal
        self._is_key = is_key
        self._allow_private = allow_private

    async def subscribe(
        self, token: SecretHash, wish: PushWish
    ) -> SubscriptionId | BadSubscription | Unadmitted:
        """Adds a subscription, which ends with the session of the token."""
        target = wish.target
        if not is_endpoint(target.endpoint, allow_private=self._allow_private) or not self._is_key(
            target.p256dh
        ):
            return BadSubscription()

        async def act(transaction: Transaction, account: Account, now: Instant) -> SubscriptionId:
            subscriptions, queue = transaction.push_subscriptions, transaction.push_queue
            if not await subscriptions.any():
                # Nobody is told of what was before the first subscription.
                await queue.move((await transaction.events.end()).id, await queue.position())
            new = NewPushSubscription(
                account=account.id,
                token=token,
                endpoint=target.hash,
                host=target.host,
                sealed=self._seal.seal(account.id, target),
                language=wish.language,
                shows_content=wish.shows_content,
                created_at=now,
            )
            return await subscriptions.add(new, MAX_SUBSCRIPTIONS)

        return await self._admission.write(token, act)

    async def unsubscribe(
        self, token: SecretHash, subscription: SubscriptionId
    ) -> SubscriptionNotFound | Unadmitted | None:
        """Ends a subscription of the account's."""

        async def act(
            transaction: Transaction, account: Account, _now: Instant
        ) -> SubscriptionNotFound | None:
            removed = await transaction.push_subscriptions.remove(account.id, subscription)
            return None if removed else SubscriptionNotFound()

        return await self._admission.write(token, act)

    async def choices(self, token: SecretHash) -> PushChoices | Unadmitted:
        """The account's subscriptions, the newest first, and its muted rooms."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> PushChoices:
            table = transaction.push_subscriptions
            return PushChoices(await table.of_account(account.id), await table.muted(account.id))

        return await self._admission.read(token, act)

    async def mute(self, token: SecretHash, room_text: str) -> NoAccess | None:
        """No push tells of the room any more. room_text: its id, as in the path."""

        async def act(transaction: Transaction, actor: RoomActor) -> None:
            await transaction.push_subscriptions.mute(actor.account, actor.room.id, MAX_MUTES)

        return await self._admission.write(token, in_room(room_text, act))

    async def unmute(self, token: SecretHash, room_text: str) -> NoAccess | None:
        """They tell of it again."""

        async def act(transaction: Transaction, actor: RoomActor) -> None:
            await transaction.push_subscriptions.unmute(actor.account, actor.room.id)

        return await self._admission.write(token, in_room(room_text, act))
