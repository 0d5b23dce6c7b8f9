"""Sending the mail of the outbox, until the mail server has accepted each message.

    due ──lease──► being sent ──accepted──► removed
     ▲                │
     │                ├─ refused for now ──► waits longer after each attempt, and is parked after MAX_ATTEMPTS
     │                ├─ refused for good, outdated, or not to be opened ──► parked, for the operator
     └────────────────┴─ the mail server itself fails: the attempt does not count, and all sending pauses

A lease is a due time in the future, so two nodes never send the same message. The leases of a killed process are released
at its next start. An accepted message is removed in a shielded transaction right after the server's reply: only a crash
between the two sends it again, with the same Message-ID, by which the receiver recognises it.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import msgspec
import trio

from regserver.domain.instant import HOUR, MINUTE, SECOND, Duration, Instant, after, iso_seconds
from regserver.group import leaves
from regserver.ports.clock import Clock
from regserver.ports.mailer import Mail, Mailer, MailFault
from regserver.ports.outbox_table import Backlog, OutboxMessage
from regserver.ports.store import Store, StoreFault
from regserver.service.outbox import Outbox

log = logging.getLogger("regserver.mail")

LEASE = Duration(5 * MINUTE)
"""Longer than any attempt; a mailer bounds its time far below this."""
BATCH = 16
SENDERS = 4
POLL_SECONDS = 1.0
FIRST_DELAY = Duration(5 * SECOND)
LONGEST_DELAY = Duration(4 * HOUR)
MAX_ATTEMPTS = 20
"""With the delays above, about two days of trying (RFC 5321, section 4.5.4.1, asks for days rather than hours)."""
FIRST_PAUSE = Duration(2 * SECOND)
LONGEST_PAUSE = Duration(MINUTE)
LATE = Duration(2 * MINUTE)
"""Mail that has been due for longer is reported, since no sender seems to run."""

# Reasons for parking a message, for the operator.
OUTDATED = "its link or code expired before the mail server accepted it"
BUG = "the server met a bug while it sent this message; the log has it"
UNREADABLE = "this server's key does not open it; was the key file replaced?"

DeliveryOutcome = Literal["sent", "deferred", "refused", "server failed"]


class DeliveryObserver(Protocol):
    """Receives counts, such as for metrics."""

    def count(self, outcome: DeliveryOutcome) -> None:
        """One attempt ended."""

    def show(self, waiting: int, parked: int) -> None:
        """Takes the numbers of waiting and parked messages after a batch."""


class Trouble(msgspec.Struct, frozen=True):
    """The present fault of the mail server, and since when it lasts."""

    since: Instant
    detail: str


class MailDelivery:
    """Sends mail from the outbox.

    node: the name of this process, unique among those that share the store, and the same after a restart.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        mailer: Mailer,
        clock: Clock,
        observer: DeliveryObserver,
        *,
        node: str,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._mailer = mailer
        self._clock = clock
        self._observer = observer
        self._node = node
        self._trouble: Trouble | None = None
        self._pause = FIRST_PAUSE

    async def recover(self) -> int:
        """Releases the leases of this node's last run; returns how many messages."""
        released = await self._store.write(
            lambda transaction: transaction.outbox.release(self._node, self._clock.now())
        )
        await self._show()
        return released

    async def deliver_due(self) -> bool:
        """Sends one batch of due messages, SENDERS at a time; returns whether more may be due.

        While the mail server fails, a batch has one message, so that a test of the server costs one time-out.
        """
        now = self._clock.now()
        size = BATCH if self._trouble is None else 1
        batch = await self._store.write(
            lambda transaction: transaction.outbox.lease(self._node, now, after(now, LEASE), size)
        )
        queue = list(reversed(batch))
        more = False
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(min(SENDERS, len(queue))):
                    nursery.start_soon(self._send_from, queue)
            if batch:
                await self._show()
            more = len(batch) == size and self._trouble is None
        finally:  # also when the server stops amid a batch
            if not more:
                await self._mailer.close_idle()
        return more

    async def _send_from(self, queue: list[OutboxMessage]) -> None:
        # A batch of one tests a failing server, so trouble from before the batch does not stop it.
        healthy = self._trouble is None
        while queue:
            message = queue.pop()
            if healthy and self._trouble is not None:
                await self._give_back(message)  # the mail server failed within this batch
            else:
                await self._send(message)

    async def _send(self, message: OutboxMessage) -> None:
        mail = self._outbox.open(message.sealed)
        if mail is None:
            return await self._park(message, UNREADABLE)
        if not mail.written_at:  # it was sealed before it was due
            mail = msgspec.structs.replace(mail, written_at=message.created_at)
        if mail.good_until is not None and self._clock.now() >= mail.good_until:
            return await self._park(message, OUTDATED)
        try:
            await self._mailer.send(mail)
        except MailFault as fault:
            await self._failed(message, fault)
        except Exception:
            # Presumably a bug that only this message triggers: it must not delay the others.
            log.exception("message %d met a bug", message.id)
            await self._park(message, BUG)
        else:
            await self._accepted(message, mail)
        return None

    async def _accepted(self, message: OutboxMessage, mail: Mail) -> None:
        # The server has accepted it: a cancellation here would send it a second time.
        with trio.CancelScope(shield=True):
            await self._store.write(lambda transaction: transaction.outbox.remove(message.id))
        self._observer.count("sent")
        if self._trouble is not None:
            log.info("mail goes out again; it was late since %s", iso_seconds(self._trouble.since))
        self._trouble, self._pause = None, FIRST_PAUSE
        log.info("mail %s was sent", mail.id, extra={"attempts": message.attempts})

    async def _failed(self, message: OutboxMessage, fault: MailFault) -> None:
        if fault.server:
            await self._server_failed(message, str(fault))
        elif fault.permanent or message.attempts >= MAX_ATTEMPTS:
            self._observer.count("refused")
            await self._park(message, str(fault))
        else:
            self._observer.count("deferred")
            delay = min(FIRST_DELAY * 2 ** (message.attempts - 1), LONGEST_DELAY)
            due_at = after(self._clock.now(), delay)
            log.info("message %d was refused for now: %s", message.id, fault)
            await self._postpone(message, due_at, message.attempts, str(fault))

    async def _server_failed(self, message: OutboxMessage, fault: str) -> None:
        self._observer.count("server failed")
        if self._trouble is None:
            log.warning("mail cannot be sent and waits: %s", fault)
            self._trouble = Trouble(self._clock.now(), fault)
        else:
            self._trouble = msgspec.structs.replace(self._trouble, detail=fault)
        await self._give_back(message, fault)

    async def _give_back(self, message: OutboxMessage, fault: str | None = None) -> None:
        """Makes the message due again at once. The attempt does not count, since the message was not its cause."""
        detail = fault or message.fault or ""
        await self._postpone(message, self._clock.now(), message.attempts - 1, detail)

    async def _postpone(self, message: OutboxMessage, due_at: Instant, attempts: int, fault: str) -> None:
        await self._store.write(
            lambda transaction: transaction.outbox.postpone(message.id, due_at, attempts, fault)
        )

    async def _park(self, message: OutboxMessage, fault: str) -> None:
        log.warning("message %d is set aside for the operator (regserver mail list): %s", message.id, fault)
        now = self._clock.now()
        await self._store.write(lambda transaction: transaction.outbox.park(message.id, now, fault))

    def next_pause(self) -> float:
        """Seconds until the next batch; they double with each fault of the mail server."""
        if self._trouble is None:
            return POLL_SECONDS
        pause, self._pause = self._pause, Duration(min(self._pause * 2, LONGEST_PAUSE))
        return pause.seconds

    async def _show(self) -> None:
        backlog = await self.backlog()
        self._observer.show(backlog.waiting, backlog.parked)

    async def backlog(self) -> Backlog:
        """The state of the outbox. Raises StoreFault."""
        return await self._store.read(lambda transaction: transaction.outbox.backlog())

    async def check(self) -> str | None:
        """None when mail is sent in time; otherwise what waits, since when and why, and what to do."""
        try:
            backlog = await self.backlog()
        except StoreFault as fault:
            return f"the outbox cannot be read: {fault}"
        now = self._clock.now()
        stuck = backlog.due_at is not None and now - backlog.due_at > LATE
        if backlog.oldest_at is None or not (self._trouble or stuck):
            return None
        why = self._trouble.detail if self._trouble else "no sender takes it out of the outbox"
        return (
            f"mail is late since {iso_seconds(backlog.oldest_at)}: {backlog.waiting} waiting; {why}"
            " (`regserver mail list` shows it, `regserver mail test ADDRESS` tries the server)"
        )


async def run_outbox(delivery: MailDelivery, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Sends until cancelled; after a fault of the store it tries again. sleep: waits between two batches; takes seconds."""
    recovered = False
    while True:
        more = False
        try:
            if not recovered:
                await delivery.recover()
                recovered = True
            more = await delivery.deliver_due()
        except* StoreFault as group:
            log.warning("the outbox cannot be read: %s", leaves(group)[0])
        if not more:
            await sleep(delivery.next_pause())
