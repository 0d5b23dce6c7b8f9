"""Sending what waits for Web Push, until the push service has accepted each message.

    due ──lease──► is a socket there? ──yes──► removed
                   │ no
                   └─► sent ──accepted──► removed
                        │
                        ├─ gone: the subscription ends                   ├─ refused, or older than the ttl: removed
                        └─ no answer, or not now: waits longer after each attempt

A lease is a due time in the future, so two nodes do not send the same message. A killed process's leases are released at its next start;
what it had sent by then comes twice, with the same topic, by which the push service replaces it.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable, Collection
from typing import Final, Literal

import msgspec
import trio

from regserver.domain.account import AccountId
from regserver.domain.instant import HOUR, MINUTE, SECOND, Duration, Instant, after
from regserver.domain.push import MAX_CONTENT_SHOWN, PushMessage, PushOrder, PushTarget
from regserver.domain.room import Post, Room, display_name
from regserver.group import leaves
from regserver.ports.clock import Clock
from regserver.ports.push_sender import PushOutcome, PushSender
from regserver.ports.push_subscription_table import KnownSubscription
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.push_seal import PushSeal

log = logging.getLogger("regserver.push")

LEASE: Final = Duration(2 * MINUTE)
BATCH: Final = 64
SENDERS: Final = 16
SENDERS_OF_ONE_HOST: Final = 4
"""The most senders that one push service can keep waiting when it hangs; the others go on."""
FIRST_DELAY: Final = Duration(10 * SECOND)
LONGEST_DELAY: Final = Duration(HOUR)
LONGEST_SLEEP: Final = 60.0
MEMBERS_IN_A_NAME: Final = 4

PushCount = Literal["accepted", "gone", "refused", "deferred", "heard", "outdated"]


class PushContent(msgspec.Struct, frozen=True):
    """What a message says. room: its name. author: who has posted, or brought the reader in. post: None for the latter."""

    message: PushMessage
    room: str
    author: str
    post: Post | None
    language: str
    shows_content: bool


WritePush = Callable[[PushContent], bytes]


class PushDeliveryParts(msgspec.Struct, frozen=True):
    """present: the accounts with a socket. write: what is encrypted. topic_key: of the topics. node: as in MailDelivery."""

    store: Store
    clock: Clock
    sender: PushSender
    seal: PushSeal
    write: WritePush
    present: Callable[[], Collection[AccountId]]
    count: Callable[[PushCount], None]
    topic_key: bytes
    ttl: Duration
    node: str


class PushHost:
    """A push service within a batch. is_silent: it has not answered, so the rest of the batch does not wait for it too."""

    def __init__(self) -> None:
        self.turns = trio.CapacityLimiter(SENDERS_OF_ONE_HOST)
        self.is_silent = False


class PushDelivery:
    """Sends the messages of the queue."""

    def __init__(self, parts: PushDeliveryParts) -> None:
        self._parts = parts
        self._wake = trio.Event()

    def wake_nowait(self) -> None:
        """Messages were added."""
        self._wake.set()

    async def run(self) -> None:
        """Sends until cancelled; after a fault of the store it tries again."""
        parts, recovered = self._parts, False
        while True:
            self._wake = trio.Event()
            pause = LONGEST_SLEEP
            try:
                if not recovered:
                    await parts.store.write(
                        lambda transaction: transaction.push_queue.release(parts.node, parts.clock.now())
                    )
                    recovered = True
                while await self.deliver_due():
                    pass
                pause = await self._until_due()
            except* StoreFault as group:
                log.warning("push messages cannot be read: %s", leaves(group)[0])
            with parts.clock.move_on_after(pause):
                await self._wake.wait()

    async def _until_due(self) -> float:
        due = await self._parts.store.read(lambda transaction: transaction.push_queue.next_due())
        if due is None:
            return LONGEST_SLEEP
        return max(0.1, min(LONGEST_SLEEP, (due - self._parts.clock.now()) / 1000))

    async def deliver_due(self) -> bool:
        """Sends one batch of due messages; whether more may be due. Raises StoreFault, in groups."""
        parts, now = self._parts, self._parts.clock.now()
        batch = await parts.store.write(
            lambda transaction: transaction.push_queue.lease(parts.node, now, after(now, LEASE), BATCH)
        )
        everybody, hosts = trio.CapacityLimiter(SENDERS), dict[str, PushHost]()
        async with trio.open_nursery() as nursery:
            for message in batch:
                found = await self._look(message)
                if found is not None:
                    target, content = found
                    host = hosts.setdefault(target.host, PushHost())
                    nursery.start_soon(self._send, target, content, host, everybody)
        return len(batch) == BATCH

    async def _look(self, message: PushMessage) -> tuple[PushTarget, PushContent] | None:
        """Where the message goes and what it says; None where it is not needed any more, and removed."""
        parts, now = self._parts, self._parts.clock.now()
        content: PushContent | None = None
        target: PushTarget | None = None

        async def work(transaction: Transaction) -> tuple[KnownSubscription, PushContent] | None:
            known = await transaction.push_subscriptions.find(message.subscription, now)
            return None if known is None else await _content(transaction, message, known)

        found = await parts.store.read(work)
        if found is not None:
            known, content = found
            target = parts.seal.open(known.account, known.sealed)
            if known.account in parts.present():
                parts.count("heard")
                target = None
        if message.created_at + parts.ttl <= now:
            parts.count("outdated")
            target = None
        if target is None or content is None:
            await parts.store.write(lambda transaction: transaction.push_queue.remove(message))
            return None
        return target, content

    async def _send(
        self, target: PushTarget, content: PushContent, host: "PushHost", everybody: trio.CapacityLimiter
    ) -> None:
        parts, message = self._parts, content.message
        outcome: PushOutcome = None
        async with host.turns, everybody:
            if not host.is_silent:
                left = Duration(max(SECOND, message.created_at + parts.ttl - parts.clock.now()))
                order = PushOrder(left, self._topic(message))
                outcome = await parts.sender.send(target, parts.write(content), order)
                host.is_silent = outcome is None
        # Sent: a cancellation here would send it a second time.
        with trio.CancelScope(shield=True):
            await parts.store.write(lambda transaction: self._settle(transaction, message, outcome))
        parts.count(outcome if isinstance(outcome, str) else "deferred")

    async def _settle(self, transaction: Transaction, message: PushMessage, outcome: PushOutcome) -> None:
        if outcome == "gone":
            await transaction.push_subscriptions.drop(message.subscription)
        elif outcome in ("accepted", "refused"):
            await transaction.push_queue.remove(message)
        else:
            grown = min(FIRST_DELAY * 2 ** min(message.attempts - 1, 20), LONGEST_DELAY)
            asked = outcome if isinstance(outcome, Duration) else 0
            due_at = Instant(after(self._parts.clock.now(), min(max(grown, asked), self._parts.ttl)))
            await transaction.push_queue.postpone(message, due_at)

    def _topic(self, message: PushMessage) -> str:
        """The same for each message of a subscription about a room; it tells the push service nothing (RFC 8030, 5.4)."""
        about = f"{message.subscription} {message.room}".encode()
        return hmac.new(self._parts.topic_key, about, hashlib.sha256).hexdigest()[:32]


async def _content(
    transaction: Transaction, message: PushMessage, known: KnownSubscription
) -> tuple[KnownSubscription, PushContent] | None:
    """None where the room, the post or their author is no longer there, or its reader is no longer in the room."""
    access = await transaction.rooms.access(message.room, known.account)
    author = await transaction.accounts.by_id(message.actor)
    post = None if message.post is None else await transaction.posts.by_id(message.post)
    if (
        access is None
        or author is None
        or (message.post is not None and (post is None or not access.is_member))
    ):
        return None
    name = await _room_name(transaction, access.room)
    if post is not None and known.shows_content:
        post = msgspec.structs.replace(post, content=post.content[:MAX_CONTENT_SHOWN])
    content = PushContent(message, name, author.username, post, known.language, known.shows_content)
    return known, content


async def _room_name(transaction: Transaction, room: Room) -> str:
    members = () if room.name else await transaction.rooms.members(room.id, MEMBERS_IN_A_NAME)
    return display_name(room, members)
