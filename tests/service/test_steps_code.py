"""Codes: tries, resends, cycles, daily budgets, and messages that were not sent."""

from pathlib import Path

import pytest
import trio

from regserver.domain.contact import Contact
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, after
from regserver.domain.steps_machine import (
    CaptchaFailed,
    InvalidStep,
    NotSent,
    StepRefusal,
    TooManyRetries,
    TryLater,
    WrongCode,
)
from regserver.ports.captcha import Captcha, CaptchaType
from regserver.service.asker import Asker
from regserver.service.steps_service import StepResult
from tests.steps import ASKER, Steps, email, open_steps, phone, taken

WRONG = WrongCode(state="verify")


async def begin(
    steps: Steps, contact: Contact, address: str = ASKER.address, language: str = "en"
) -> StepResult | StepRefusal:
    return await steps.service.first_step(contact, "", "web", Asker(address, language))


async def guess(steps: Steps, code: int | str, address: str = ASKER.address) -> StepResult | StepRefusal:
    return await steps.service.verify(phone(), code, False, address)


def wrong_code(steps: Steps) -> str:
    return str((int(steps.sms.code) - 100_000 + 1) % 900_000 + 100_000)


async def test_a_code_is_worth_five_tries(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        for _ in range(5):
            assert await guess(steps, wrong_code(steps)) == WRONG
        assert await guess(steps, steps.sms.code) == WRONG
        steps.clock.advance(45 * SECOND)
        await taken(steps.service.resend(phone(), ASKER))
        await taken(guess(steps, steps.sms.code))


async def test_two_hundred_parallel_guesses_are_five_comparisons(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        compared = []
        mac = steps.pepper.code_mac
        steps.pepper.code_mac = lambda contact, code: compared.append(code) or mac(contact, code)  # type: ignore[method-assign,func-returns-value]
        outcomes: list[StepResult | StepRefusal] = []

        async def one(code: int) -> None:
            outcomes.append(await guess(steps, code))

        wrong = [code for code in range(100_000, 100_201) if str(code) != steps.sms.code][:200]
        async with trio.open_nursery() as nursery:
            for code in wrong:
                nursery.start_soon(one, code)
        assert outcomes == [WRONG] * 200
        assert len(compared) == 5


async def test_ten_tries_a_day_whatever_the_resends(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        for resend in range(2):
            for _ in range(5):
                assert await guess(steps, wrong_code(steps)) == WRONG
            steps.clock.advance(45 * SECOND)
            await taken(steps.service.resend(phone(), ASKER))
            assert len(steps.sms.messages) == resend + 2
        assert await guess(steps, steps.sms.code) == WRONG
        steps.clock.advance(DAY)
        await taken(begin(steps, phone()))
        await taken(guess(steps, steps.sms.code))


@pytest.mark.parametrize("code", ["", "abc", "0", -1, 10**30, "1" * 5000, "12345", "1234567"])
async def test_what_cannot_be_a_code_is_wrong_and_costs_no_try(tmp_path: Path, code: int | str) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        for _ in range(20):
            assert await guess(steps, code) == WRONG
        assert (await steps.row(phone())).code_tries == 5
        await taken(guess(steps, steps.sms.code))


async def test_a_code_is_taken_as_it_is_pasted(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        code = steps.sms.code
        await taken(guess(steps, f" {code[:3]}-{code[3:]}\n"))


# --- whose try it is
async def test_strangers_cannot_burn_the_code_of_its_owner(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        for number in range(50):
            assert await guess(steps, wrong_code(steps), f"198.51.100.{number}") == WRONG
        row = await steps.row(phone())
        assert (row.code_tries, row.other_tries) == (5, 0)
        assert await guess(steps, steps.sms.code, "198.51.100.1") == WRONG
        await taken(guess(steps, steps.sms.code))


async def test_strangers_cannot_lock_a_contact_for_the_day(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        for _ in range(3):
            for number in range(10):
                assert await guess(steps, wrong_code(steps), f"198.51.100.{number}") == WRONG
            steps.clock.advance(45 * SECOND)
            await taken(steps.service.resend(phone(), ASKER))
        key = steps.pepper.budget_key("tries", (await steps.row(phone())).contact)
        spent = await steps.store.read(lambda t: t.budgets.spent(key, DAY, steps.clock.now()))
        assert spent == 10  # of three codes, from whatever networks
        await taken(guess(steps, steps.sms.code))


async def test_a_code_is_good_in_another_network_than_it_was_asked_from(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        await taken(guess(steps, steps.sms.code, "198.51.100.1"))


async def test_the_owner_has_the_tries_again_who_asks_for_a_code(tmp_path: Path) -> None:
    """A stranger has asked for the first code and used up all tries of it."""
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone(), "198.51.100.1"))
        for address in ("198.51.100.1", "198.51.100.2"):
            for _ in range(5):
                assert await guess(steps, wrong_code(steps), address) == WRONG
        assert await guess(steps, steps.sms.code) == WRONG
        steps.clock.advance(45 * SECOND)
        await taken(steps.service.resend(phone(), ASKER))
        await taken(guess(steps, steps.sms.code))


async def test_a_code_lives_ten_minutes_and_is_gone_once_used(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        steps.clock.advance(10 * MINUTE)
        assert await guess(steps, steps.sms.code) == WRONG
        await taken(steps.service.resend(phone(), ASKER))
        steps.clock.advance(10 * MINUTE - 1)
        await taken(guess(steps, int(steps.sms.code)))
        assert await guess(steps, steps.sms.code) == InvalidStep(state="setUsername")
        assert (await steps.row(phone())).code is None


async def test_a_resend_replaces_the_code(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone()))
        old = steps.sms.code
        steps.clock.advance(45 * SECOND)
        await taken(steps.service.resend(phone(), ASKER))
        assert steps.sms.code != old
        assert await guess(steps, old) == WRONG
        await taken(guess(steps, steps.sms.code))


async def test_resends_and_the_cycle(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        start = steps.clock.now()
        await taken(begin(steps, phone()))
        for _ in range(3):
            retry_at = steps.clock.now() + 45 * SECOND
            steps.clock.advance(45 * SECOND - 1)
            assert await steps.service.resend(phone(), ASKER) == TryLater(
                state="verify", retry_at=Instant(retry_at)
            )
            steps.clock.advance(1)
            sent = await taken(steps.service.resend(phone(), ASKER))
        assert sent.retry_at == start + DAY
        assert await steps.service.resend(phone(), ASKER) == TooManyRetries(
            state="verify", retry_at=after(start, DAY)
        )
        steps.clock.advance(start + DAY - steps.clock.now() - 1)
        assert await begin(steps, phone()) == InvalidStep(state="verify")
        steps.clock.advance(1)
        assert await steps.service.resend(phone(), ASKER) == InvalidStep(state="firstStep")
        await taken(begin(steps, phone()))
        assert len(steps.sms.messages) == 5


async def test_one_number_in_two_spellings_gets_one_message(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone("+380000000000")))
        assert await begin(steps, phone("380000000000")) == InvalidStep(state="verify")
        outcomes: list[StepResult | StepRefusal] = []

        async def race() -> None:
            outcomes.append(await begin(steps, phone("+380000000009")))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(race)
        assert sum(isinstance(outcome, StepResult) for outcome in outcomes) == 1
        assert len(steps.sms.messages) == 2


# --- daily budgets
async def test_the_budget_of_a_contact_outlives_its_cycle(tmp_path: Path) -> None:
    async with open_steps(tmp_path, cycle_ttl=HOUR, daily_codes_per_contact=3) as steps:
        start = steps.clock.now()
        for _ in range(3):
            await taken(begin(steps, phone()))
            steps.clock.advance(HOUR)
        assert await begin(steps, phone()) == TooManyRetries(state="firstStep", retry_at=after(start, DAY))
        await taken(begin(steps, phone("+380000000001")))
        steps.clock.advance(start + DAY - steps.clock.now())
        await taken(begin(steps, phone()))


async def test_budgets_of_addresses_and_country_prefixes(tmp_path: Path) -> None:
    async with open_steps(tmp_path, daily_codes_per_address=2, daily_codes_per_prefix=3) as steps:
        numbers = [phone(f"+3800000000{n:02}") for n in range(8)]
        await taken(begin(steps, numbers[0], "2001:db8::1"))
        await taken(begin(steps, numbers[1], "2001:db8::2"))  # the same /64
        assert isinstance(await begin(steps, numbers[2], "2001:db8::3"), TooManyRetries)
        await taken(begin(steps, numbers[3], "2001:db8:1::1"))
        assert isinstance(await begin(steps, numbers[4], "198.51.100.1"), TooManyRetries)
        await taken(begin(steps, phone("+4915112345678"), "198.51.100.1"))
        await taken(begin(steps, email(), "198.51.100.1"))
        assert isinstance(await begin(steps, email("bob@commun.com"), "198.51.100.1"), TooManyRetries)


async def test_switching_limits_off_leaves_those_of_contact_and_code(tmp_path: Path) -> None:
    async with open_steps(
        tmp_path,
        bounded=False,
        daily_codes_per_address=1,
        daily_codes_per_prefix=1,
        daily_codes_per_contact=1,
    ) as steps:
        for n in range(5):
            await taken(begin(steps, phone(f"+38000000000{n}")))
        steps.clock.advance(45 * SECOND)
        assert isinstance(await steps.service.resend(phone(), ASKER), TooManyRetries)
        for _ in range(6):
            assert await guess(steps, wrong_code(steps)) == WRONG
        assert (await steps.row(phone())).code_tries == 0


async def test_a_refusal_by_one_budget_spends_no_other(tmp_path: Path) -> None:
    async with open_steps(tmp_path, daily_codes_per_address=1, daily_codes_per_contact=1) as steps:
        await taken(begin(steps, phone()))
        for _ in range(3):
            assert isinstance(await begin(steps, phone("+4915112345678")), TooManyRetries)
        await taken(begin(steps, phone("+4915112345678"), "198.51.100.1"))


# --- messages that were not sent
async def test_an_sms_that_is_not_taken_leaves_everything_as_it_was(tmp_path: Path) -> None:
    async with open_steps(tmp_path, daily_codes_per_contact=2) as steps:
        for _ in range(5):
            steps.sms.faults = 1
            assert await begin(steps, phone()) == NotSent(state="firstStep")
        await taken(begin(steps, phone()))
        before = await steps.row(phone())
        steps.clock.advance(45 * SECOND)
        steps.sms.faults = 1
        assert await steps.service.resend(phone(), ASKER) == NotSent(state="verify")
        assert await steps.row(phone()) == before
        await taken(guess(steps, steps.sms.code))


async def test_a_mail_is_written_with_its_code_or_not_at_all(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, email()))
        rows = await steps.store.read(lambda transaction: transaction.outbox.list(10))
        mail = steps.outbox.open(rows[0].sealed)
        assert mail is not None
        assert mail.to == "alice@commun.com"
        assert mail.good_until == steps.clock.now() + 10 * MINUTE
        assert b"alice" not in rows[0].sealed


@pytest.mark.parametrize(
    ("language", "sms", "subject"),
    [
        ("en", "{code} is your registration code. Do not share it with anyone.", "Your registration code"),
        (
            "fr",
            "{code} est votre code d'inscription. Ne le communiquez à personne.",
            "Votre code d’inscription",
        ),
        ("ru", "{code} — код регистрации. Никому его не сообщайте.", "Ваш код регистрации"),
    ],
)
async def test_messages_are_in_the_language_of_who_asks(
    tmp_path: Path, language: str, sms: str, subject: str
) -> None:
    async with open_steps(tmp_path) as steps:
        await taken(begin(steps, phone(), language=language))
        assert steps.sms.messages == [(phone().value, sms.replace("{code}", steps.sms.code))]
        await taken(begin(steps, email(), language=language))
        rows = await steps.store.read(lambda transaction: transaction.outbox.list(10))
        mail = steps.outbox.open(rows[0].sealed)
        assert mail is not None
        assert mail.subject == subject


# --- captcha
class Gate(Captcha):
    """Lets through who knows the word."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        return answer == f"open {kind} {address}"


async def test_robots_get_no_code(tmp_path: Path) -> None:
    async with open_steps(tmp_path, captcha=Gate()) as steps:
        assert await begin(steps, phone()) == CaptchaFailed(state="firstStep")
        assert steps.sms.messages == []
        await taken(steps.service.first_step(phone(), f"open ios {ASKER.address}", "ios", ASKER))
        assert await begin(steps, phone()) == CaptchaFailed(state="verify")
