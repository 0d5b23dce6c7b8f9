"""From the event log to the queue of Web Push: who is to be told of what, unless a socket of theirs is there.

    store's listener → wake → the events after the position → by room → subscriptions of members without a socket → messages

A page of the log, its messages and the new position are one unit of work: nothing is written twice or left out, over crashes
and several nodes. The posts of a page in one room are one message for each subscription, so a burst costs a bounded number of rows.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import msgspec
import trio

from regserver.domain.account import AccountId
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.push import PushMessage, SubscriptionId
from regserver.domain.room import RoomId
from regserver.domain.room_event import Posted, RoomEvent, guests, newcomers
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction

log = logging.getLogger("regserver.push")

PAGE: Final = 1000
PAUSE_SECONDS: Final = 0.5
"""Between two looks: what comes meanwhile is read at once."""
RETRY_SECONDS: Final = 5.0

Reached = Iterable[tuple[SubscriptionId, AccountId]]


class PushFeedParts(msgspec.Struct, frozen=True):
    """present: the accounts with a socket. wait: how long a message waits for one to come back. added: called for new messages."""

    store: Store
    clock: Clock
    present: Callable[[], Collection[AccountId]]
    wait: Duration
    added: Callable[[], None]


class PushFeed:
    """Writes messages for what happens in rooms."""

    def __init__(self, parts: PushFeedParts) -> None:
        self._parts = parts
        self._wake = trio.Event()

    def wake_nowait(self) -> None:
        """Something has happened, or somebody has subscribed."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled; a store that fails is tried again."""
        self._wake.set()  # for what happened before the start
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            try:
                while await self.step():
                    pass
            except StoreFault as fault:
                log.warning("nobody is told by push of what happens: %s", fault)
                self._wake.set()
                await self._parts.clock.sleep(RETRY_SECONDS)
            await self._parts.clock.sleep(PAUSE_SECONDS)

    async def step(self) -> bool:
        """One page of the log; whether there may be more. Raises StoreFault."""
        store, present = self._parts.store, frozenset(self._parts.present())
        if not await store.look_up(lambda transaction: transaction.push_subscriptions.any()):
            return False
        read, added = await store.write(lambda transaction: self._page(transaction, present))
        if added:
            self._parts.added()
        return read == PAGE

    async def _page(self, transaction: Transaction, present: Collection[AccountId]) -> tuple[int, int]:
        """How many events were read, and how many messages added."""
        queue = transaction.push_queue
        position = await queue.position()
        page = await transaction.events.after(position, PAGE)
        if not page or not await queue.move(page[-1][0].id, position):
            return 0, 0
        by_room: dict[RoomId, list[RoomEvent]] = {}
        for _, event in page:
            if event is not None:
                by_room.setdefault(event.room, []).append(event)
        now = self._parts.clock.now()
        messages: dict[tuple[SubscriptionId, RoomId], PushMessage] = {}
        for events in by_room.values():
            for message in await self._of_room(transaction, events, present, now):
                messages[message.subscription, message.room] = message
        if messages:
            await queue.add(list(messages.values()), after(now, self._parts.wait))
        return len(page), len(messages)

    async def _of_room(
        self,
        transaction: Transaction,
        events: Sequence[RoomEvent],
        present: Collection[AccountId],
        now: Instant,
    ) -> list[PushMessage]:
        """The messages of one room: those brought in, then those who were there and hear of posts."""
        found, table = list[PushMessage](), transaction.push_subscriptions
        for event in events:
            brought = [*newcomers(event.change), *guests(event.change)]
            those = [one for one in brought if one not in present and one != event.actor]
            found += [_invited(event, one) for one, _ in await table.of_accounts(those, now)]
        posts = [event for event in events if isinstance(event.change, Posted)]
        if posts:
            members = await table.of_room(posts[0].room, posts[-1].id, now)
            absent = [(one, account) for one, account in members if account not in present]
            found += _posted(posts, absent)
        return found


def _invited(event: RoomEvent, subscription: SubscriptionId) -> PushMessage:
    return PushMessage(
        subscription=subscription, room=event.room, actor=event.actor, post=None, posts=0, created_at=event.at
    )


def _posted(events: Sequence[RoomEvent], members: Reached) -> Iterable[PushMessage]:
    """One message for each subscription, of the newest post that is not the member's own."""
    authors = {event.actor for event in events}
    newest, count = events[-1], len(events)
    for subscription, account in members:
        if account in authors:
            others = [event for event in events if event.actor != account]
            if not others:
                continue
            last, posts = others[-1], len(others)
        else:
            last, posts = newest, count
        yield _post(last, subscription, posts)


def _post(event: RoomEvent, subscription: SubscriptionId, posts: int) -> PushMessage:
    return PushMessage(
        subscription=subscription,
        room=event.room,
        actor=event.actor,
        post=event.change.post if isinstance(event.change, Posted) else None,
        posts=posts,
        created_at=event.at,
    )
