"""Who hears an event: the subscriptions of one kind of socket, found by account and by room.

    attach → by account, by room → deliveries(events) → (frames, the sockets that get just these) → detach

A subscription is an attached socket. It is found by account when an event brings the account into a room. Both indexes follow
the log while its events are delivered, so the events that a socket gets always match its memberships.
"""

from collections.abc import Callable, Iterable, Sequence

from regserver.domain.account import AccountId
from regserver.domain.room import RoomId
from regserver.domain.room_event import (
    Audience,
    EventId,
    Posted,
    RoomEvent,
    arriving,
    audience,
    guests,
    is_edit,
    leaver,
    newcomers,
)
from regserver.endpoint import Frame, Receiver
from regserver.ports.subscriber import Subscriber

FrameMaker = Callable[[RoomEvent, Audience], Frame]
Delivery = tuple[tuple[Frame, ...], list[Receiver]]
"""Frames, in their order, and the sockets that get all of them one after another."""


NONE: set["Subscription"] = set()


class Subscription:
    """An attached socket.

    since: id of the newest event that the socket has received, or that was before it was attached.
    rooms: the rooms whose events it receives.
    """

    __slots__ = ("account", "echo", "edits", "receiver", "rooms", "since")

    def __init__(self, subscriber: Subscriber, since: EventId) -> None:
        self.account = subscriber.account
        self.echo = subscriber.echo
        self.edits = subscriber.edits
        self.receiver = subscriber.receiver
        self.since = since
        self.rooms: list[RoomId] = []


class Subscriptions:
    """The subscriptions whose frames are the same for the same event. frame: builds them.

    moves: counts how often a socket has come into a room or out of one.
    """

    def __init__(self, frame: FrameMaker) -> None:
        self._frame = frame
        # Lists here and in a subscription: most hold one, for which a set takes 130 bytes more.
        self._accounts: dict[AccountId, list[Subscription]] = {}
        # The values are the receivers, so that a broadcast reads no subscriptions: 5,000 of them do not fit into a
        # processor's cache, and reading them would take a considerable part of the time of sending.
        self._rooms: dict[RoomId, dict[Subscription, Receiver]] = {}
        # The newest event that was applied to a subscription when it was attached. Only up to here a queued event can be
        # one that a subscription has already received.
        self._newest = EventId(0)
        self.moves = 0

    # --- attaching
    def attach(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId, since_then: Iterable[RoomEvent]
    ) -> Subscription:
        """Attaches a socket. rooms: of its account at position `as_of`. since_then: the later events, applied at once.

        Some of these events may still be queued. Their ids are not above the subscription's `since`, so they are not
        sent to it again.
        """
        subscription = Subscription(subscriber, as_of)
        self._accounts.setdefault(subscription.account, []).append(subscription)
        for room in rooms:
            self._join(subscription, room)
        for event in since_then:
            self._catch_up(subscription, event)
        self._newest = max(self._newest, subscription.since)
        return subscription

    def _catch_up(self, subscription: Subscription, event: RoomEvent) -> None:
        if subscription.account in arriving(event):
            self._join(subscription, event.room)
        role = audience(event, subscription.account, echo=subscription.echo, edits=subscription.edits)
        hears = subscription in self._rooms.get(event.room, ()) or subscription.account in guests(
            event.change
        )
        if hears and role is not None:
            subscription.receiver.send_nowait(self._frame(event, role))
        if subscription.account == leaver(event):
            self._leave(subscription, event.room)
        subscription.since = event.id

    def detach(self, subscription: Subscription) -> None:
        """Removes a subscription."""
        for room in subscription.rooms:
            self._drop(subscription, room)
        subscriptions = self._accounts[subscription.account]
        subscriptions.remove(subscription)
        if not subscriptions:
            del self._accounts[subscription.account]

    def _join(self, subscription: Subscription, room: RoomId) -> None:
        members = self._rooms.setdefault(room, {})
        if subscription not in members:
            members[subscription] = subscription.receiver
            subscription.rooms.append(room)
            self.moves += 1

    def _leave(self, subscription: Subscription, room: RoomId) -> None:
        if self._drop(subscription, room):
            subscription.rooms.remove(room)

    def _drop(self, subscription: Subscription, room: RoomId) -> bool:
        """Whether it was there."""
        members = self._rooms.get(room)
        if members is None or members.pop(subscription, None) is None:
            return False
        self.moves += 1
        if not members:
            del self._rooms[room]
        return True

    # --- events
    def begin_anew(self) -> None:
        """The ids of the log have gone back."""
        self._newest = EventId(0)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is attached."""
        return not self._accounts

    def reach(self, event: RoomEvent) -> int:
        """The most subscriptions that can get the event or join its room by it, if no event waits before it."""
        reached = len(self._rooms.get(event.room, ()))
        if isinstance(event.change, Posted):  # nearly always; it brings nobody in
            return reached
        concerned = (*arriving(event), *guests(event.change))
        return reached + sum(len(self._accounts.get(one, ())) for one in concerned)

    def are_alike(self, events: Sequence[RoomEvent]) -> bool:
        """Whether they are posts of one room that its present members all get, but for the authors."""
        return all(self.is_post_in(events[0].room, event) for event in events)

    def is_post_in(self, room: RoomId, event: RoomEvent) -> bool:
        """Whether it is a post of this room that no member has received in `attach`."""
        return event.room == room and isinstance(event.change, Posted) and event.id > self._newest

    def members(self, room: RoomId) -> list[Receiver]:
        """The sockets in a room."""
        return list(self._rooms.get(room, {}).values())

    def member_frame(self, event: RoomEvent) -> Frame:
        """What members get."""
        return self._frame(event, "member")

    def deaf(self, event: RoomEvent) -> set[Receiver]:
        """The actor's own sockets that do not want to hear of it."""
        return {one.receiver for one in self._deaf(event.actor)}

    def deliveries(self, events: Sequence[RoomEvent]) -> Iterable[Delivery]:
        """What is sent for the next events of the log. It also updates the memberships.

        It is about the sockets that are attached now.
        """
        if len(events) == 1:
            return [((frame,), receivers) for frame, receivers in self._of_one(events[0])]
        return self._of_many(events)

    def _of_many(self, events: Sequence[RoomEvent]) -> Iterable[Delivery]:
        """Any events: what each socket gets is put together socket by socket."""
        parts: dict[Receiver, list[Frame]] = {}
        for event in events:
            for frame, receivers in self._of_one(event):
                for receiver in receivers:
                    if (part := parts.get(receiver)) is None:
                        parts[receiver] = [frame]
                    else:
                        part.append(frame)
        alike: dict[tuple[int, ...], Delivery] = {}
        for receiver, part in parts.items():
            same = tuple(map(id, part))
            if same not in alike:
                alike[same] = tuple(part), []
            alike[same][1].append(receiver)
        return alike.values()

    def _of_one(self, event: RoomEvent) -> list[tuple[Frame, list[Receiver]]]:
        """The frames of an event with their receivers. It also updates the memberships."""
        for account in arriving(event):
            for subscription in self._accounts.get(account, ()):
                if event.id > subscription.since:
                    self._join(subscription, event.room)
        members = self._rooms.get(event.room, {})
        if asked := guests(event.change):  # it concerns nobody else
            members = {one: one.receiver for guest in asked for one in self._accounts.get(guest, ())}
        if event.id <= self._newest:
            # Subscriptions that were attached while this event was queued got it then.
            members = {one: receiver for one, receiver in members.items() if event.id > one.since}
        if own := self._deaf(event.actor):
            members = {one: receiver for one, receiver in members.items() if one not in own}
        if is_edit(event.change):
            members = {one: receiver for one, receiver in members.items() if one.edits}
        by_role = _by_role(event, members)
        if (gone := leaver(event)) is not None:
            self._remove(gone, event)
        return [(self._frame(event, role), receivers) for role, receivers in by_role.items() if receivers]

    def _deaf(self, actor: AccountId) -> set[Subscription]:
        """The actor's own subscriptions that do not want to hear of it."""
        own = self._accounts.get(actor)
        return {one for one in own if not one.echo} if own else NONE

    def _remove(self, account: AccountId, event: RoomEvent) -> None:
        for subscription in list(self._accounts.get(account, ())):
            if event.id > subscription.since:
                self._leave(subscription, event.room)


def _by_role(event: RoomEvent, members: dict[Subscription, Receiver]) -> dict[Audience, list[Receiver]]:
    new = set(newcomers(event.change)) or set(guests(event.change))
    if not new:
        return {"member": list(members.values())}
    by_role: dict[Audience, list[Receiver]] = {"member": [], "newcomer": []}
    for subscription, receiver in members.items():
        by_role["newcomer" if subscription.account in new else "member"].append(receiver)
    return by_role
