"""Delivery: no mail is lost, no accepted mail is sent twice, and the operator sees the waiting ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from regserver.adapters.smtp import SmtpMailer, SmtpTimeouts
from regserver.config.smtp_url import parse_smtp_url
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, after
from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxMessage
from regserver.service.expiry import KEEP_PARKED, purge
from regserver.service.mail_delivery import (
    BATCH,
    BUG,
    LATE,
    LEASE,
    MAX_ATTEMPTS,
    OUTDATED,
    UNREADABLE,
    DeliveryObserver,
    DeliveryOutcome,
    MailDelivery,
    run_outbox,
)
from regserver.service.outbox import Outbox
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import EPOCH, ManualClock, SeededRandomness
from tests.peer.smtp import SmtpPeer, open_smtp_peer

MAIL = Mail(to="ada@example.org", subject="Hello", text="Hello Ada\n")


class Observer(DeliveryObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.counted: list[DeliveryOutcome] = []
        self.waiting: int | None = None

    def count(self, outcome: DeliveryOutcome) -> None:
        self.counted.append(outcome)

    def show(self, waiting: int, parked: int) -> None:
        self.waiting = waiting


class World:
    """An outbox, its sender and a mail server."""

    def __init__(self, store: SqliteStore, peer: SmtpPeer, nursery: trio.Nursery) -> None:
        self.store = store
        self.peer = peer
        self.nursery = nursery
        self.clock = ManualClock()
        self.observer = Observer()
        self.outbox = Outbox(self.clock, SeededRandomness(), bytes(32))
        self.mailer = SmtpMailer(
            parse_smtp_url(f"smtp://127.0.0.1:{peer.port}"),
            "regserver@example.com",
            SmtpTimeouts(command=5, verdict=5, total=20),
        )
        self.delivery = self.sender()

    def sender(self, node: str = "local") -> MailDelivery:
        return MailDelivery(self.store, self.outbox, self.mailer, self.clock, self.observer, node=node)

    async def enqueue(self, *mails: Mail) -> None:
        for mail in mails:
            await self.store.write(partial(self.outbox.enqueue, mail=mail))

    async def rows(self) -> tuple[OutboxMessage, ...]:
        return await self.store.read(lambda transaction: transaction.outbox.list(100))

    async def deliver_all(self) -> None:
        while await self.delivery.deliver_due():
            pass

    async def requeue(self) -> int:
        return await self.store.write(lambda transaction: transaction.outbox.requeue(None, self.clock.now()))

    def recipients(self) -> list[str]:
        return sorted(received.recipient for received in self.peer.accepted)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with open_sqlite(folder / "x.db") as store, open_smtp_peer() as (peer, nursery):
        here = World(store, peer, nursery)
        try:
            yield here
        finally:
            with trio.CancelScope(shield=True):
                await here.mailer.close_idle()


def to(name: str) -> Mail:
    return msgspec.structs.replace(MAIL, to=f"{name}@example.org")


async def test_everything_that_waits_is_sent_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        names = [f"user{number}" for number in range(BATCH * 2 + 3)]
        await here.enqueue(*[to(name) for name in names])
        await here.deliver_all()
        assert here.recipients() == sorted(f"{name}@example.org" for name in names)
        assert await here.rows() == ()
        assert await here.delivery.deliver_due() is False
        assert here.observer.counted == ["sent"] * len(names)
        assert here.observer.waiting == 0
        assert await here.delivery.check() is None


class StoppingObserver(Observer):
    """Stops the sender as soon as a message was sent, before its batch is at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = trio.CancelScope()

    def count(self, outcome: DeliveryOutcome) -> None:
        super().count(outcome)
        self.scope.cancel()


async def test_a_stop_amid_a_batch_closes_the_connections(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        observer = StoppingObserver()
        await here.enqueue(to("ada"))
        with observer.scope:
            sender = MailDelivery(here.store, here.outbox, here.mailer, here.clock, observer, node="local")
            await sender.deliver_due()
        assert observer.scope.cancelled_caught
        assert here.recipients() == ["ada@example.org"]
        assert here.mailer._idle == []


async def test_a_server_that_is_away_delays_and_loses_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(to("ada"), to("ben"), to("eve"))
        here.peer.stop()
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(MAX_ATTEMPTS + 5):
            await here.deliver_all()
            here.clock.advance(MINUTE)
        rows = await here.rows()
        assert [(row.attempts, row.parked_at) for row in rows] == [(0, None)] * 3
        trouble = await here.delivery.check()
        assert trouble is not None
        assert "mail is late since 2020-09-13T12:26:40Z: 3 waiting" in trouble
        assert f"127.0.0.1:{here.peer.port} refuses connections" in trouble
        await here.peer.start(here.nursery)
        await here.deliver_all()
        await here.deliver_all()
        assert len(here.peer.accepted) == 3
        assert await here.delivery.check() is None


async def test_pauses_grow_while_the_server_fails_and_end_with_it(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        calm = here.delivery.next_pause()
        here.peer.mood = "closing"
        await here.deliver_all()
        pauses = [here.delivery.next_pause() for _ in range(8)]
        assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
        here.peer.mood = "well"
        await here.deliver_all()
        assert here.delivery.next_pause() == calm


async def test_a_failing_server_is_knocked_at_once_a_round(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(*[to(f"user{number}") for number in range(10)])
        here.peer.mood = "closing"
        await here.deliver_all()
        first = here.peer.connections
        assert first <= 4  # as many as send at once
        await here.deliver_all()
        assert here.peer.connections == first + 1
        assert [row.attempts for row in await here.rows()] == [0] * 10


async def test_a_message_that_is_deferred_waits_longer_each_time_and_is_parked_in_the_end(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        here.peer.mood = "defer recipient"
        delays = []
        for _ in range(MAX_ATTEMPTS):
            await here.deliver_all()
            (row,) = await here.rows()
            delays.append(row.due_at - here.clock.now())
            here.clock.advance(max(0, delays[-1]))
        assert delays[:4] == [5 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND]
        assert max(delays) == 4 * HOUR
        (row,) = await here.rows()
        assert row.parked_at is not None
        assert row.fault is not None
        assert "451 4.7.1 greylisted" in row.fault
        assert await here.delivery.check() is None  # the server is well


async def test_a_deferred_message_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.peer.mood = "defer recipient"
        await here.enqueue(to("ada"))
        await here.deliver_all()
        here.peer.mood = "well"
        await here.enqueue(to("ben"))
        await here.deliver_all()
        assert here.recipients() == ["ben@example.org"]
        here.clock.advance(5 * SECOND)
        await here.deliver_all()
        assert here.recipients() == ["ada@example.org", "ben@example.org"]


async def test_a_refused_message_is_parked_until_the_operator_retries(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.peer.mood = "refuse recipient"
        await here.enqueue(MAIL)
        await here.deliver_all()
        (row,) = await here.rows()
        assert (row.parked_at, row.attempts) == (EPOCH, 1)
        assert row.fault is not None
        assert row.fault.startswith("refused: 550 5.1.1")
        assert "ada" not in row.fault
        here.clock.advance(DAY)
        here.peer.mood = "well"
        await here.deliver_all()
        assert here.peer.accepted == []
        assert await here.requeue() == 1
        await here.deliver_all()
        assert here.recipients() == ["ada@example.org"]


async def test_a_message_whose_link_has_expired_is_not_sent_any_more(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(
            msgspec.structs.replace(to("late"), good_until=after(EPOCH, DAY)),
            msgspec.structs.replace(to("intime"), good_until=after(EPOCH, DAY + 1)),
        )
        here.clock.advance(DAY)
        await here.deliver_all()
        assert here.recipients() == ["intime@example.org"]
        (row,) = await here.rows()
        assert (row.parked_at, row.fault) == (here.clock.now(), OUTDATED)


async def test_a_row_of_another_key_is_parked(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        other = Outbox(here.clock, SeededRandomness(), bytes([1]) * 32)
        await here.store.write(lambda transaction: other.enqueue(transaction, MAIL))
        await here.deliver_all()
        (row,) = await here.rows()
        assert (row.parked_at, row.fault) == (EPOCH, UNREADABLE)


async def test_a_message_dropped_after_data_is_tried_again_under_the_same_id(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        here.peer.mood = "drop after data"
        await here.deliver_all()
        (row,) = await here.rows()
        assert (row.attempts, row.parked_at) == (1, None)
        here.peer.mood = "well"
        here.clock.advance(5 * SECOND)
        await here.deliver_all()
        assert len(here.peer.accepted) == 1
        first, second = here.peer.received
        assert first.message["Message-ID"] == second.message["Message-ID"]
        assert first.message["Date"] == second.message["Date"]


async def test_what_a_killed_sender_had_leased_goes_out_at_the_next_start(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        now = here.clock.now()
        await here.store.write(
            lambda transaction: transaction.outbox.lease("local", now, after(now, LEASE), BATCH)
        )
        await here.deliver_all()
        assert here.peer.received == []
        restarted = here.sender()
        assert await restarted.recover() == 1
        await restarted.deliver_due()
        assert here.recipients() == ["ada@example.org"]


async def test_two_nodes_do_not_send_the_same_message(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(*[to(f"user{number}") for number in range(20)])
        async with trio.open_nursery() as nursery:
            for node in ("one", "two", "three"):
                nursery.start_soon(here.sender(node).deliver_due)
        await here.deliver_all()
        assert len(here.recipients()) == len(set(here.recipients())) == 20
        assert await here.sender("two").recover() == 0


async def test_an_accepted_message_is_removed_even_when_the_sender_is_cancelled(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        here.peer.mood = "slow verdict"
        scope = trio.CancelScope()

        async def deliver() -> None:
            with scope:
                await here.delivery.deliver_due()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(deliver)
            await here.peer.wait_received(1)
            scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
            here.peer.decide()
        assert scope.cancel_called
        assert len(here.peer.accepted) == 1
        assert await here.rows() == ()


async def test_a_retry_leaves_alone_what_is_being_sent(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        here.peer.mood = "slow verdict"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.delivery.deliver_due)
            await here.peer.wait_received(1)
            assert await here.requeue() == 0
            here.peer.decide()
        assert len(here.peer.accepted) == 1


async def test_a_bug_parks_its_message_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class BuggyMailer(SmtpMailer):
        async def send(self, mail: Mail) -> None:
            if mail.to == "ada@example.org":
                raise LookupError("a bug")
            await super().send(mail)

    async with world(tmp_path) as here:
        here.mailer = BuggyMailer(
            parse_smtp_url(f"smtp://127.0.0.1:{here.peer.port}"), "regserver@example.com"
        )
        here.delivery = here.sender()
        await here.enqueue(to("ada"), to("ben"))
        await here.deliver_all()
        assert here.recipients() == ["ben@example.org"]
        (row,) = await here.rows()
        assert (row.parked_at, row.fault) == (EPOCH, BUG)
        assert "a bug" in caplog.text


async def test_what_was_set_aside_is_forgotten_in_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.peer.mood = "refuse recipient"
        await here.enqueue(to("ada"))
        await here.deliver_all()
        here.clock.advance(KEEP_PARKED)
        await here.enqueue(to("ben"))
        await here.store.write(partial(purge, clock=here.clock))
        assert len(await here.rows()) == 2
        here.clock.advance(1)
        await here.store.write(partial(purge, clock=here.clock))
        assert [row.parked_at for row in await here.rows()] == [None]


async def test_mail_that_nobody_takes_out_is_late(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.enqueue(MAIL)
        assert await here.delivery.check() is None
        here.clock.advance(LATE + 1)
        trouble = await here.delivery.check()
        assert trouble is not None
        assert "no sender takes it" in trouble


async def test_the_worker_sends_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path) as here, trio.open_nursery() as nursery:
        nursery.start_soon(run_outbox, here.delivery, trio.sleep)
        await here.enqueue(to("ada"))
        await here.peer.wait_received(1)
        await here.enqueue(to("ben"))
        await here.peer.wait_received(2)
        nursery.cancel_scope.cancel()
    assert here.recipients() == ["ada@example.org", "ben@example.org"]


async def test_the_worker_outlives_a_store_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    async with world(tmp_path) as here:
        pass
    with trio.move_on_after(30) as patience:
        await run_outbox(here.delivery, trio.sleep)
    assert patience.cancelled_caught
    assert "the outbox cannot be read" in caplog.text
    assert await here.delivery.check() == "the outbox cannot be read: the store is closed"


def test_a_lease_outlasts_every_attempt() -> None:
    assert SmtpTimeouts().total < LEASE.seconds
    assert Instant(0) < LATE
