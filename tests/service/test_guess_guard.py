"""The guessing bound: what is free, what waits, what is compared when many guess at once, and that owners get in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.lowlevel
import trio.testing

from regserver.domain.account import AccountId, AccountOrigin, NewAccount, name_key
from regserver.domain.guess import MOST_FAILURES
from regserver.domain.instant import DAY, MINUTE, SECOND
from regserver.domain.outcome import TooManyRequests
from regserver.ports.mailer import Mail
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.guess_target import GuessTarget, target_key, target_name
from regserver.service.outbox import Outbox
from regserver.store.sqlite import open_sqlite
from tests.fake import ManualClock, SeededRandomness, claim_of
from tests.guess import HOME, open_guard

STRANGER = Asker("203.0.113.9", "fr")
WAITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


class World:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.guard = open_guard(store, self.clock)
        self.compared = 0

    async def add(self, name: str, origin: AccountOrigin = "directory") -> AccountId:
        new = NewAccount(
            username=name,
            email=f"{name}@example.org",
            origin=origin,
            created_at=self.clock.now(),
            contact=claim_of(f"{name}@example.org", is_verified=origin != "rooms"),
        )
        made = await self.store.write(lambda transaction: add_account(transaction, new))
        assert isinstance(made, int)
        return made

    def target(self, name: str) -> GuessTarget:
        key = name_key(name)
        return target_name(key, lambda transaction: transaction.accounts.by_name(key))

    async def guess(self, name: str, asker: Asker = STRANGER, *, right: bool = False) -> int | None:
        """The seconds to wait, or None when the secret was compared."""
        async with self.guard.attempt(self.target(name), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt.retry_after
            await trio.lowlevel.checkpoint()  # somebody else's turn
            self.compared += 1
            if right:
                assert attempt.account is not None
                number = attempt.account.id
                await self.store.write(lambda transaction: attempt.succeed(transaction, number))
            return None

    async def fail(self, name: str, times: int, asker: Asker = STRANGER) -> None:
        """So many failures, each as soon as it may be."""
        for _ in range(times):
            if (wait := await self.guess(name, asker)) is not None:
                self.clock.advance(wait * SECOND)
                assert await self.guess(name, asker) is None

    async def mails(self) -> list[Mail]:
        outbox = Outbox(self.clock, SeededRandomness(2), bytes(32))
        rows = await self.store.read(lambda transaction: transaction.outbox.list(10))
        return [mail for row in rows if (mail := outbox.open(row.sealed)) is not None]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with open_sqlite(folder / "x.db") as store:
        yield World(store)


@pytest.mark.parametrize("name", ["ann", "nobody"])
async def test_five_are_free_then_waits_double(tmp_path: Path, name: str) -> None:
    """The same for an account and for a name that nobody has."""
    async with world(tmp_path) as here:
        await here.add("ann")
        assert [await here.guess(name) for _ in range(5)] == [None] * 5
        for wait in WAITS:
            assert await here.guess(name) == wait
            here.clock.advance(wait * SECOND - 1)
            assert await here.guess(name) == 1
            here.clock.advance(1)
            assert await here.guess(name) is None
        assert here.compared == 5 + len(WAITS)


@pytest.mark.parametrize("name", ["ann", "nobody"])
async def test_after_a_hundred_it_is_closed_for_a_day(tmp_path: Path, name: str) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        await here.fail(name, MOST_FAILURES)
        assert await here.guess(name, right=name == "ann") == DAY // SECOND
        here.clock.advance(DAY - 1)
        assert await here.guess(name) == 1
        here.clock.advance(1)
        assert [await here.guess(name) for _ in range(5)] == [None] * 5
        assert await here.guess(name) == 1


async def test_refused_guesses_do_not_lengthen_the_wait(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.fail("ann", 8)
        assert [await here.guess("ann") for _ in range(50)] == [8] * 50


async def test_a_right_one_is_not_told_apart_while_it_waits(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        await here.fail("ann", 6)
        assert await here.guess("ann", right=True) == await here.guess("ann") == 2
        here.clock.advance(2 * SECOND)
        assert await here.guess("ann", right=True) is None
        assert [await here.guess("ann") for _ in range(5)] == [None] * 5


@pytest.mark.parametrize("name", ["ann", "nobody"])
async def test_two_hundred_at_once_are_compared_five_times(tmp_path: Path, name: str) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        waits: list[int | None] = []

        async def guess() -> None:
            waits.append(await here.guess(name))

        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(guess)
        assert here.compared == waits.count(None) == 5
        assert set(waits) == {None, 1}
        for number in range(3):  # and when a wait is over, one
            here.clock.advance((1 << number) * SECOND)
            async with trio.open_nursery() as nursery:
                for _ in range(50):
                    nursery.start_soon(guess)
            assert here.compared == 6 + number


async def test_fifty_right_ones_at_once_are_all_let_in(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        await here.fail("ann", 4)
        waits: list[int | None] = []

        async def sign_in() -> None:
            waits.append(await here.guess("ann", right=True))

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(sign_in)
        assert waits == [None] * 50
        assert here.guard._lines == {}


async def test_strangers_do_not_keep_the_owner_out(tmp_path: Path) -> None:
    """Of a network that the account signed in from within 30 days, or of the same IPv6 /64."""
    async with world(tmp_path) as here:
        await here.add("ann")
        mobile = Asker("2001:db8:1:2::3", "en")
        for asker in (HOME, mobile):
            assert await here.guess("ann", asker, right=True) is None
        await here.fail("ann", MOST_FAILURES)
        for known in (HOME, mobile, Asker("2001:db8:1:2:ffff::9", "en"), Asker("::ffff:192.0.2.7", "en")):
            assert await here.guess("ann", known, right=True) is None
        assert await here.guess("ann", Asker("192.0.2.8", "en"), right=True) == DAY // SECOND
        # The known network has a counter of its own, and its success leaves the strangers' as it is.
        await here.fail("ann", 6, HOME)
        assert await here.guess("ann", HOME, right=True) == 2
        assert await here.guess("ann", mobile, right=True) is None
        here.clock.advance(30 * DAY)
        await here.fail("ann", 5)
        assert await here.guess("ann", HOME, right=True) == 1


@pytest.mark.parametrize(
    ("language", "word"), [("en", "wrong"), ("fr", "erronés"), ("ru", "неверных"), ("", "wrong")]
)
async def test_the_owner_is_told_once_in_their_language(tmp_path: Path, language: str, word: str) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        if language:
            await here.guess("ann", Asker("192.0.2.7", language), right=True)
        await here.fail("ann", MOST_FAILURES - 1)
        assert await here.mails() == []
        await here.fail("ann", 1)
        (mail,) = await here.mails()
        assert mail.to == "ann@example.org"
        assert word in mail.subject
        assert "100" in mail.text
        assert "ann" in mail.text


async def test_nobody_is_told_at_an_address_that_may_be_a_strangers(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add("ann", origin="rooms")
        await here.fail("ann", MOST_FAILURES)
        await here.fail("nobody", MOST_FAILURES)
        assert await here.mails() == []


async def test_a_guess_that_nobody_hears_of_is_not_counted(tmp_path: Path) -> None:
    """Its client has gone, or something broke: nobody learns what came of it."""
    async with world(tmp_path) as here:
        for _ in range(20):
            with trio.move_on_after(0):
                async with here.guard.attempt(here.target("ann"), STRANGER):
                    await trio.sleep_forever()
            with pytest.raises(ZeroDivisionError):
                async with here.guard.attempt(here.target("ann"), STRANGER):
                    raise ZeroDivisionError
        assert [await here.guess("ann") for _ in range(5)] == [None] * 5
        assert await here.guess("ann") == 1
        assert here.guard._lines == {}


async def test_a_line_has_an_end(tmp_path: Path) -> None:
    """Guesses that run for long keep at most a hundred waiting; the others are refused at once."""
    async with world(tmp_path) as here:
        may_end, waits = trio.Event(), list[int]()

        async def guess() -> None:
            async with here.guard.attempt(here.target("ann"), STRANGER) as attempt:
                if isinstance(attempt, TooManyRequests):
                    waits.append(attempt.retry_after)
                    return
                await may_end.wait()

        async with trio.open_nursery() as nursery:
            for _ in range(130):
                nursery.start_soon(guess)
            while len(waits) < 30:
                await trio.testing.wait_all_tasks_blocked(0.01)
            assert waits == [1] * 30
            may_end.set()


async def test_keys_of_the_operator_are_counted_for_each_network(tmp_path: Path) -> None:
    """A stranger's guesses keep nobody else out, least of all the platform that has the right key."""
    async with world(tmp_path) as here:

        async def guess(asker: Asker) -> int | None:
            target = target_key("directory.trusted_key", asker)
            async with here.guard.attempt(target, asker) as attempt:
                return attempt.retry_after if isinstance(attempt, TooManyRequests) else None

        assert [await guess(STRANGER) for _ in range(6)] == [None] * 5 + [1]
        assert await guess(HOME) is None


async def test_a_clock_that_is_set_back_keeps_nobody_out(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        here.clock.advance(2 * DAY)
        await here.fail("ann", 40)
        here.clock.advance(-2 * DAY)
        assert await here.guess("ann") is None
        assert await here.guess("ann") == 15 * MINUTE // SECOND


async def test_a_right_secret_commits_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as here:
        await here.add("ann")
        await here.fail("ann", 3)
        writes, write = 0, here.store.write

        async def counted(work: object) -> object:
            nonlocal writes
            writes += 1
            return await write(work)  # type: ignore[arg-type]

        monkeypatch.setattr(here.store, "write", counted)
        assert await here.guess("ann", right=True) is None
        assert writes == 1  # the token's

        async def gone(transaction: Transaction) -> int:
            rows = await transaction.accounts._sql.rows("SELECT counter FROM guess")  # type: ignore[attr-defined]
            return len(rows)

        assert await here.store.read(gone) == 0
