"""Made by tests/client/blocking_maker.py from ../push.py, which says what it is for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from regserver.client import ask, wire
from regserver.client.blocking.transport import BlockingHttpTransport


class BlockingPushes:
    """The subscriptions and muted rooms of whoever is signed in."""

    def __init__(self, transport: BlockingHttpTransport) -> None:
        self._transport = transport

    def key(self) -> str:
        """The server's public key, which a subscription is made with (applicationServerKey)."""
        return ask.read(self._transport.send(ask.get("/room/push/key")), _PushKey).public_key

    def add(self, subscription: Mapping[str, Any], *, shows_content: bool = False) -> int:
        """Subscribes; returns the id. It ends with the session. Raises BadSubscription.

        subscription: endpoint and keys, as a browser or a UnifiedPush connector gives them. shows_content: whether messages have the posts in them.
        """
        body = {**subscription, "showsContent": shows_content}
        return ask.read(self._transport.send(ask.post("/room/push", body)), _Made).subscription_id

    def list(self) -> wire.PushChoices:
        """One's subscriptions and muted rooms."""
        return ask.read(self._transport.send(ask.get("/room/push")), wire.PushChoices)

    def remove(self, subscription_id: int) -> None:
        """Ends a subscription. Raises SubscriptionNotFound."""
        self._transport.send(ask.delete(f"/room/push/{subscription_id}"))

    def mute(self, room_id: int) -> None:
        """No push tells of the room any more. Raises RoomNotFound, NotInRoom."""
        self._transport.send(ask.post(f"/room/mute/{room_id}"))

    def unmute(self, room_id: int) -> None:
        """BlockingPushes tell of the room again. Raises RoomNotFound, NotInRoom."""
        self._transport.send(ask.delete(f"/room/mute/{room_id}"))


class _PushKey(msgspec.Struct, rename="camel"):
    public_key: str


class _Made(msgspec.Struct, rename="camel"):
    subscription_id: int
