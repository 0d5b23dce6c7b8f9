"""The guard of SMS: each of its bounds alone, and an attack on numbers in a row amid people who answer their codes."""

import logging
from pathlib import Path

import pytest
import trio

from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, after
from regserver.domain.phone import country_of
from regserver.domain.steps_machine import NotSent, StepRefusal, TooManyRetries
from regserver.service.asker import Asker
from regserver.service.sms_guard import BLOCK_DAILY, BLOCK_HOURLY, LEAST_JUDGED, SmsPolicy
from regserver.service.steps_service import StepResult
from tests.phone_number import COUNTRIES, mobile_number
from tests.steps import ASKER, HERE, Steps, open_steps, phone, proposal, taken

ALL = SmsPolicy()


async def ask(steps: Steps, number: str, address: str = ASKER.address) -> StepResult | StepRefusal:
    return await steps.service.first_step(phone(number), "", "web", Asker(address, "en"))


async def answer(steps: Steps, number: str, address: str = ASKER.address) -> StepResult:
    """Enters the code that was sent last to the number."""
    code = next(text.split()[0] for to, text in reversed(steps.sms.messages) if to == phone(number).value)
    return await taken(steps.service.verify(phone(number), code, False, address))


def in_block(block: int, number: int) -> str:
    """A number of a block of ten thousand of Ukraine."""
    return f"+38044{block:03}{number:04}"


# --- a block of numbers
async def test_a_block_gets_three_codes_an_hour_that_nobody_enters(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        start = steps.clock.now()
        for number in range(BLOCK_HOURLY):
            await taken(ask(steps, in_block(0, number)))
        held = TooManyRetries(state="firstStep", retry_at=after(start, HOUR))
        assert await ask(steps, in_block(0, 4)) == held
        await taken(ask(steps, in_block(1, 4)))
        steps.clock.advance(HOUR)
        await taken(ask(steps, in_block(0, 4)))
        assert steps.outcomes == {"sent": 5, "block": 1}


async def test_a_block_gets_ten_codes_a_day_that_nobody_enters(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        sent = 0
        for number in range(24):
            for part in range(4):
                sent += isinstance(await ask(steps, in_block(0, 10 * number + part)), StepResult)
            steps.clock.advance(HOUR - MINUTE)
        assert sent == BLOCK_DAILY


async def test_entered_codes_count_towards_no_block(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        for number in range(30):
            await taken(ask(steps, in_block(0, number)))
            if number % 3 == 0:  # one who needs a second message
                steps.clock.advance(45 * SECOND)
                await taken(steps.service.resend(phone(in_block(0, number)), ASKER))
            await answer(steps, in_block(0, number))
        assert steps.outcomes == {"sent": 40, "entered": 30}


async def test_a_message_that_the_provider_refuses_counts_nowhere(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=SmsPolicy(daily_max=3)) as steps:
        for number in range(10):
            steps.sms.faults = 1
            assert await ask(steps, in_block(0, number)) == NotSent(state="firstStep")
        for number in range(3):
            await taken(ask(steps, in_block(0, number)))
        tally = await steps.store.read(lambda t: t.sms.tally("UA", steps.clock.now()))
        assert (tally.sent, tally.entered) == (3, 0)


# --- all messages of a day
async def test_all_messages_of_a_day_together(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=SmsPolicy(daily_max=5)) as steps:
        start = steps.clock.now()
        for block in range(5):
            await taken(ask(steps, in_block(block, 0)))
            await answer(steps, in_block(block, 0))
        held = TooManyRetries(state="firstStep", retry_at=after(start, DAY))
        assert await ask(steps, "+4915112345678") == held
        steps.clock.advance(DAY)
        await taken(ask(steps, "+4915112345678"))
        assert steps.outcomes["daily"] == 1


# --- countries
async def test_only_named_countries_get_messages(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=SmsPolicy(countries=frozenset({"UA", "US"}))) as steps:
        await taken(ask(steps, "+380440000000"))
        await taken(ask(steps, "+12025550123"))
        for elsewhere in ("+18765550123", "+4915112345678", "+8821312345678"):
            assert await ask(steps, elsewhere) == NotSent(state="firstStep")
        assert steps.outcomes == {"sent": 2, "country": 3}


async def test_a_country_whose_codes_nobody_enters_is_closed_for_an_hour(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        for block in range(LEAST_JUDGED):
            await taken(ask(steps, in_block(block, 0)))
            steps.clock.advance(SECOND)
        closed_at = steps.clock.now()
        held = TooManyRetries(state="firstStep", retry_at=after(closed_at, HOUR))
        assert await ask(steps, in_block(100, 0)) == held
        steps.clock.advance(HOUR - 1)
        assert await ask(steps, in_block(101, 0)) == held
        await taken(ask(steps, "+4915112345678"))
        # The code that somebody still has is good, whatever happens to the others.
        steps.clock.advance(1)
        await taken(ask(steps, in_block(102, 0)))
        assert steps.outcomes == {"sent": LEAST_JUDGED + 2, "closed": 2}


async def test_a_tenth_of_entered_codes_keeps_a_country_open(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        for block in range(100):
            await taken(ask(steps, in_block(block, 0)))
            if block % 10 == 0:
                await answer(steps, in_block(block, 0))
            steps.clock.advance(SECOND)
        assert steps.outcomes["closed"] == 0


# --- what costs nothing
async def test_where_messages_are_only_logged_nothing_is_bounded(tmp_path: Path) -> None:
    async with open_steps(tmp_path, sms_policy=SmsPolicy(guarded=False, countries=frozenset())) as steps:
        for number in range(30):
            await taken(ask(steps, in_block(0, number)))
        assert steps.outcomes == {"sent": 30}


async def test_a_test_number_gets_its_code_and_no_message(tmp_path: Path) -> None:
    policy = SmsPolicy(countries=frozenset(), test={"+15550001111": "424242"})
    async with open_steps(tmp_path, sms_policy=policy) as steps:
        contact = phone("+1 555 000 1111")
        await taken(ask(steps, "+15550001111"))
        await taken(steps.service.verify(contact, 424242, False, ASKER.address))
        named = (await taken(steps.service.set_username(contact, "tester", HERE))).registration
        await taken(steps.accounts.register(contact, proposal("tester", named.user_id or ""), HERE))
        assert steps.sms.messages == []
        assert steps.outcomes == {"test": 1, "entered": 1}
        assert await ask(steps, "+15550001112") == NotSent(state="firstStep")


async def test_each_refusal_is_counted_and_a_like_one_logged_once_an_hour(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "regserver.sms")
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        for block in range(2):
            for number in range(20):
                await ask(steps, in_block(block, number))
        assert steps.outcomes == {"sent": 6, "block": 34}
        assert len(caplog.messages) == 2
        assert "+380*******03 (UA): numbers with the same beginning" in caplog.messages[0]
        assert "+380440000003" not in caplog.text
        steps.clock.advance(2 * HOUR)
        for number in range(4):
            await ask(steps, in_block(0, 100 + number))
        assert len(caplog.messages) == 3


# --- all of it
NUMBERS = 10_000
NETWORKS = 1_000
PEOPLE = 200


async def test_numbers_in_a_row_cost_twenty_messages_and_nobody_is_kept_out(tmp_path: Path) -> None:
    """Ten thousand numbers from a thousand networks in a day, amid two hundred people who answer."""
    async with open_steps(tmp_path, sms_policy=ALL) as steps:
        people = [phone(mobile_number(number)) for number in range(PEOPLE)]
        assert len({contact.value[:-4] for contact in people}) == PEOPLE
        assert {country_of(contact.value) for contact in people} == set(COUNTRIES)
        served: list[str] = []

        async def attack(number: int) -> None:
            network = f"10.{number % NETWORKS // 250}.{number % 250}.1"
            await ask(steps, f"+380441{234_567 + number:06}", network)

        async def register(number: int) -> None:
            contact, address = people[number], f"192.0.2.{number}"
            await taken(steps.service.first_step(contact, "", "web", Asker(address, "en")))
            await answer(steps, contact.value, address)
            served.append(contact.value)

        for turn in range(PEOPLE):
            async with trio.open_nursery() as nursery:
                for number in range(turn * NUMBERS // PEOPLE, (turn + 1) * NUMBERS // PEOPLE):
                    nursery.start_soon(attack, number)
                nursery.start_soon(register, turn)
            steps.clock.advance(DAY // PEOPLE)
        attacked = [to for to, _ in steps.sms.messages if to.startswith("+380441")]
        assert len(served) == PEOPLE
        assert len(attacked) == 20
        assert steps.outcomes["block"] == NUMBERS - len(attacked)
