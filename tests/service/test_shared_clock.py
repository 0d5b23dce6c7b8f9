"""The clock of a node among others is the store's, whatever its own says."""

import logging
from pathlib import Path

import pytest
import trio
import trio.testing

from regserver.adapters.system import SystemClock
from regserver.domain.command_ticket import TicketSeal, request_to_sign
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import BadToken
from regserver.domain.secret import hash_secret
from regserver.ports.clock import Clock
from regserver.ports.store import StoreFault
from regserver.service.operator.unit import CommandCaller, OperatorUnit
from regserver.service.shared_clock import READ_SECONDS, SharedClock
from regserver.store.sqlite import open_sqlite
from tests.fake import EPOCH


class WrongClock(Clock):
    """Off by so many milliseconds."""

    def __init__(self, off: int) -> None:
        self.off = off

    def now(self) -> Instant:
        return Instant(EPOCH + round(trio.current_time() * 1000) + self.off)


class Place:
    """A store whose clock a test sets, and that takes its time."""

    def __init__(self) -> None:
        self.off = 0
        self.seconds = 0.0
        self.is_away = False

    async def read(self) -> Instant:
        await trio.sleep(self.seconds)
        found = WrongClock(self.off).now()
        if self.is_away:
            raise StoreFault("away")
        await trio.sleep(self.seconds)
        return found


@pytest.mark.parametrize("off", [-300_000, 0, 300_000])
async def test_its_own_time_does_not_matter(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture, off: int
) -> None:
    own, right, place = WrongClock(off), WrongClock(0), Place()
    clock = SharedClock(own, place.read)
    with caplog.at_level(logging.WARNING):
        await clock.begin()
    assert clock.now() == right.now()
    said = [f"the clock of this machine is {off // 1000} s off that of the database, which is used"]
    assert caplog.messages == (said if off else [])
    own.off += 3_600_000  # somebody sets it
    await trio.sleep(5)
    assert clock.now() == right.now()


async def test_it_follows_the_store(autojump_clock: trio.testing.MockClock) -> None:
    """As well as a reading can tell, and when there is one."""
    place = Place()
    clock = SharedClock(WrongClock(0), place.read)
    await clock.begin()

    def off() -> int:
        return clock.now() - WrongClock(0).now()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.run)
        place.seconds, place.off = 0.2, 150  # it takes 400 ms to be told, so this may be nothing
        await trio.sleep(2 * READ_SECONDS)
        assert off() == 0
        place.off = 5000
        await trio.sleep(2 * READ_SECONDS)
        assert off() == 5000
        place.is_away, place.off = True, 9000
        await trio.sleep(2 * READ_SECONDS)
        assert off() == 5000
        place.is_away, place.seconds = False, 1.0  # too slow to be believed
        await trio.sleep(2 * READ_SECONDS)
        assert off() == 5000
        place.seconds = 0.0
        await trio.sleep(2 * READ_SECONDS)
        assert off() == 9000
        nursery.cancel_scope.cancel()


async def test_a_command_of_this_machine_is_known_however_far_the_store_is_off(tmp_path: Path) -> None:
    """It has signed by the machine's own clock, and a ticket is good for a minute."""
    own, seal = SystemClock(), TicketSeal(bytes(32))

    async def read() -> Instant:
        return Instant(own.now() + 600_000)

    clock = SharedClock(own, read)
    await clock.begin()
    asked = request_to_sign("GET", "/admin/server", b"")
    async with open_sqlite(tmp_path / "x.db") as store:
        unit = OperatorUnit(store, clock, seal)
        for at, answer in ((own.now(), None), (clock.now(), BadToken())):
            ticket = seal.ticket("ann", at, asked)
            caller = CommandCaller(hash_secret(ticket), ticket, asked)
            assert await unit.check(caller, Operation.READ_SERVER) == answer
