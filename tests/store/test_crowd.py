"""Many units of work at once, in any order: the same counts on every back end."""

from collections.abc import Awaitable, Callable

import msgspec
import trio

from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.code import CODE_TRIES
from regserver.domain.instant import DAY
from regserver.domain.room import RoomPage
from regserver.ports.store import Store
from regserver.service.steps_policy import StepsPolicy
from regserver.service.steps_service import StepResult
from tests.fake import JOURNAL_SEAL
from tests.steps import Steps, phone
from tests.store.meeting.account import sign_up
from tests.store.meeting.room import Door
from tests.store.meeting.steps import first_step, guess, name
from tests.store.race import rows

CROWD = 40


async def all_at_once(*racers: Callable[[], Awaitable[object]]) -> list[object]:
    answers: list[object] = []

    async def run(racer: Callable[[], Awaitable[object]]) -> None:
        answers.append(await racer())

    async with trio.open_nursery() as nursery:
        for racer in racers:
            nursery.start_soon(run, racer)
    return answers


def steps_on(store: Store, **figures: int) -> Steps:
    policy = msgspec.structs.replace(StepsPolicy(), **figures)
    return Steps(store, policy, None, EmbeddedLedger(JOURNAL_SEAL))


async def test_posts_are_numbered_without_a_gap(any_store: Store) -> None:
    door = Door(any_store)
    await door.people("ann", "bob", "cid")
    room = await door.room("ann", "bob", "cid")
    await all_at_once(*[lambda n=n: door.post(("ann", "bob")[n % 2], room) for n in range(CROWD)])
    posts = await rows(any_store, "SELECT ordinal, author_ordinal, author_id FROM post ORDER BY ordinal")
    assert [ordinal for ordinal, _, _ in posts] == list(range(1, CROWD + 1))
    for author in ("ann", "bob"):
        own = [number for _, number, by in posts if by == door.ids[author]]
        assert own == list(range(1, CROWD // 2 + 1))
    summaries = await door.rooms.list(door.tokens["cid"])
    assert isinstance(summaries, RoomPage)
    assert summaries.rooms[0].unread == CROWD


async def test_a_code_is_compared_five_times(any_store: Store) -> None:
    steps = steps_on(any_store)
    await first_step(steps, phone("+380000000001"))()
    await all_at_once(*[guess(steps)] * CROWD)
    row = await steps.row(phone("+380000000001"))
    assert row.code_tries == 0
    key = steps.pepper.budget_key("tries", row.contact + (row.network or b""))
    spent = await any_store.read(lambda transaction: transaction.budgets.spent(key, DAY, steps.clock.now()))
    assert spent == CODE_TRIES


async def test_one_of_many_gets_a_name(any_store: Store) -> None:
    """Contacts that choose it, and people who sign up at another door."""
    steps, door = steps_on(any_store), Door(any_store)
    contacts = [phone(f"+3800000000{number:02}") for number in range(10)]
    for contact in contacts:
        await steps.to_verified(contact)
    choices = [name(steps, contact, "alice") for contact in contacts]
    answers = await all_at_once(*choices, *[lambda: sign_up(door, "alice")] * 10)
    won = [answer for answer in answers if answer == "made" or isinstance(answer, StepResult)]
    assert len(won) == 1
    assert len(await rows(any_store, "SELECT holder FROM name")) == 1
