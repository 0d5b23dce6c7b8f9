"""Sending what waits in the outbox, until the mail server has said yes to each message.

    due ──lease──► being sent ──accepted──► gone
     ▲                │
     │                ├─ refused for now ──► waits longer after each attempt, and is parked after MAX_ATTEMPTS
     │                ├─ refused for good, too old, or not ours to open ──► parked, for the operator
     └────────────────┴─ the mail server itself is at fault: no attempt counts, and all sending pauses

A lease is a due time moved ahead, so two nodes never hold the same message; what a killed process had leased becomes
due again when it starts. An accepted message is removed in a shielded transaction right after the server's yes: only
a crash between the two sends it again, with the same Message-ID.
"""

import logging
from collections.abc import Callable
from typing import Literal

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
"""Longer than any attempt may take; a mailer bounds its own time far below this."""
BATCH = 16
SENDERS = 4
POLL_SECONDS = 1.0
FIRST_DELAY = Duration(5 * SECOND)
LONGEST_DELAY = Duration(4 * HOUR)
MAX_ATTEMPTS = 20
"""With the delays above, some two days of trying (RFC 5321, section 4.5.4.1, asks for days rather than hours)."""
FIRST_PAUSE = Duration(2 * SECOND)
LONGEST_PAUSE = Duration(MINUTE)
LATE = Duration(2 * MINUTE)
"""A message that has been due for so long has been forgotten by its sender."""
OUTDATED = "it was of no use any more (its link or code had expired) before the mail server took it"
BUG = "sending it met a bug, which is in the log"
UNREADABLE = "it cannot be opened with this server's key; was the key file replaced?"


DeliveryOutcome = Literal["sent", "deferred", "refused", "server failed"]


class Trouble(msgspec.Struct, frozen=True):
    """Why nothing can be sent now, and since when."""

    since: Instant
    detail: str


class MailDelivery:
    """The one who sends.

    node: names this process among those that share the store, and stays the same over restarts. count: hears of every
    attempt and what came of it.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        mailer: Mailer,
        clock: Clock,
        *,
        node: str = "local",
        count: Callable[[DeliveryOutcome], None] = lambda outcome: None,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._mailer = mailer
        self._clock = clock
        self._node = node
        self._trouble: Trouble | None = None
        self._pause = FIRST_PAUSE
        self._count = count
        self.seen = Backlog(0, None, None, 0)
        """The backlog after the last batch that was not empty."""

    async def recover(self) -> int:
        """Makes due again what the last run of this node was sending when it ended; how many."""
        released = await self._store.write(
            lambda transaction: transaction.outbox.release(self._node, self._clock.now())
        )
        self.seen = await self.backlog()
        return released

    async def deliver_due(self) -> bool:
        """Sends one batch of what is due, SENDERS at a time. True when more may be due already.

        While the mail server fails, the batch is a single message: one knock at the door, not sixteen time-outs.
        """
        now = self._clock.now()
        size = BATCH if self._trouble is None else 1
        batch = await self._store.write(
            lambda transaction: transaction.outbox.lease(self._node, now, after(now, LEASE), size)
        )
        queue = list(reversed(batch))
        async with trio.open_nursery() as nursery:
            for _ in range(min(SENDERS, len(queue))):
                nursery.start_soon(self._send_from, queue)
        if batch:
            self.seen = await self.backlog()
        if len(batch) == size and self._trouble is None:
            return True
        await self._mailer.close_idle()
        return False

    async def _send_from(self, queue: list[OutboxMessage]) -> None:
        healthy = self._trouble is None
        while queue:
            row = queue.pop()
            if healthy and self._trouble is not None:
                await self._give_back(row)  # the mail server failed within this batch
            else:
                await self._send(row)

    async def _send(self, row: OutboxMessage) -> None:
        mail = self._outbox.open(row.sealed)
        if mail is None:
            return await self._park(row, UNREADABLE)
        if mail.good_until is not None and self._clock.now() >= mail.good_until:
            return await self._park(row, OUTDATED)
        try:
            await self._mailer.send(mail)
        except MailFault as fault:
            await self._failed(row, fault)
        except Exception:
            # A bug of ours, and of this message's alone as far as we know: it must not hold up the others.
            log.exception("message %d met a bug", row.id)
            await self._park(row, BUG)
        else:
            await self._accepted(row, mail)
        return None

    async def _accepted(self, row: OutboxMessage, mail: Mail) -> None:
        # The server has said yes: whatever happens, it is not asked again.
        with trio.CancelScope(shield=True):
            await self._store.write(lambda transaction: transaction.outbox.remove(row.id))
        self._count("sent")
        if self._trouble is not None:
            log.info("mail goes out again; it was late since %s", iso_seconds(self._trouble.since))
        self._trouble, self._pause = None, FIRST_PAUSE
        log.info("mail %s was sent", mail.id, extra={"attempts": row.attempts})

    async def _failed(self, row: OutboxMessage, fault: MailFault) -> None:
        if fault.server:
            self._count("server failed")
            if self._trouble is None:
                log.warning("mail cannot be sent and waits: %s", fault)
                self._trouble = Trouble(self._clock.now(), str(fault))
            else:
                self._trouble = msgspec.structs.replace(self._trouble, detail=str(fault))
            await self._give_back(row, str(fault))
        elif fault.permanent or row.attempts >= MAX_ATTEMPTS:
            self._count("refused")
            await self._park(row, str(fault))
        else:
            self._count("deferred")
            delay = min(FIRST_DELAY * 2 ** (row.attempts - 1), LONGEST_DELAY)
            due_at = after(self._clock.now(), delay)
            log.info("message %d was refused for now: %s", row.id, fault)
            await self._store.write(
                lambda transaction: transaction.outbox.postpone(row.id, due_at, row.attempts, str(fault))
            )

    async def _give_back(self, row: OutboxMessage, fault: str | None = None) -> None:
        """Due again at once, the attempt uncounted: it says nothing about the message."""
        now = self._clock.now()
        await self._store.write(
            lambda transaction: transaction.outbox.postpone(
                row.id, now, row.attempts - 1, fault or row.fault or ""
            )
        )

    async def _park(self, row: OutboxMessage, fault: str) -> None:
        log.warning("message %d is set aside for the operator (regserver mail list): %s", row.id, fault)
        now = self._clock.now()
        await self._store.write(lambda transaction: transaction.outbox.park(row.id, now, fault))

    def next_pause(self) -> float:
        """Seconds to wait before looking again: short when all is well, longer each time the mail server fails."""
        if self._trouble is None:
            return POLL_SECONDS
        pause, self._pause = self._pause, Duration(min(self._pause * 2, LONGEST_PAUSE))
        return pause.seconds

    async def backlog(self) -> Backlog:
        return await self._store.read(lambda transaction: transaction.outbox.backlog())

    async def check(self) -> str | None:
        """None when mail goes out in time; otherwise what waits, since when, why, and what to look at."""
        try:
            backlog = await self.backlog()
        except StoreFault as fault:
            return f"the outbox cannot be read: {fault}"
        now = self._clock.now()
        stuck = backlog.due_at is not None and now - backlog.due_at > LATE
        if backlog.oldest_at is None or not (self._trouble or stuck):
            return None
        why = self._trouble.detail if self._trouble else "nothing takes them out of the outbox"
        return (
            f"mail is late since {iso_seconds(backlog.oldest_at)}: {backlog.waiting} waiting; {why}"
            " (`regserver mail list` shows them, `regserver mail test ADDRESS` tries the server)"
        )


async def run_outbox(delivery: MailDelivery) -> None:
    """Sends until cancelled; a store that fails is asked again after a pause."""
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
            await trio.sleep(delivery.next_pause())
