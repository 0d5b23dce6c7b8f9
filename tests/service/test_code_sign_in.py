"""Sign-in by code: who gets one, what it is good for, once, how often it may be guessed at, and that nothing tells whose a contact is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regserver.domain.account import AccountId
from regserver.domain.code import CODE_TRIES
from regserver.domain.contact import Contact, Pepper
from regserver.domain.ending import WHAT_ENDS_WHAT, AccountEvent, Fate, Outstanding
from regserver.domain.guess import FREE_FAILURES, MOST_FAILURES
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, after
from regserver.domain.outcome import BadCaptcha, BadCode, SecondFactorRequired, TooManyRequests
from regserver.domain.secret import hash_secret
from regserver.domain.sign_in_code import SignInCode
from regserver.domain.steps_machine import AlreadyRegistered
from regserver.ports.captcha import Captcha, CaptchaAnswer, CaptchaType
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker
from regserver.service.code_sign_in import MOST_WISHES, CodeWish
from regserver.service.expiry import purge
from regserver.service.guess_target import target_account
from regserver.service.identity_service import SignedIn
from regserver.service.mail_cap import HOURLY_MAILS
from regserver.service.sms_guard import BLOCK_HOURLY, SmsPolicy
from tests.fake import PEPPER
from tests.guess import HOME
from tests.recovery import add_totp
from tests.sign_in_code import STRANGER, CodeDesk, open_desk, wrong
from tests.steps import email, open_steps, phone

ADDRESS, NUMBER = email("ann@example.org"), phone("+380501112233")
NO_CAPTCHA = CaptchaAnswer("", "web", HOME.address)
BOTH = pytest.mark.parametrize("contact", [ADDRESS, NUMBER], ids=["mail", "sms"])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[CodeDesk]:
    async with open_desk(tmp_path) as opened:
        yield opened


class Locked(Captcha):
    """Lets nobody pass."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        return False


# --- asking and entering
@BOTH
async def test_a_code_signs_in_once(desk: CodeDesk, contact: Contact) -> None:
    ann = await desk.add("ann", contact)
    code = await desk.code(contact)
    assert len(code) == desk.policy.code_digits
    signed_in = await desk.enters(contact, f" {code[:3]}-{code[3:]} ")
    assert signed_in.user_id == ann
    session = await desk.identity.session(hash_secret(signed_in.token))
    assert getattr(session, "account", None) == ann
    assert await desk.enter(contact, code) == BadCode()
    assert await desk.row(contact) is None


async def test_a_code_may_be_a_number(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    await desk.enters(NUMBER, int(await desk.code(NUMBER)))


async def test_the_mail_goes_to_the_address_as_it_was_verified(desk: CodeDesk) -> None:
    await desk.add("ann", ADDRESS)
    assert await desk.ask(ADDRESS, Asker(HOME.address, "fr"))
    to, text = (await desk.mails())[-1]
    assert to == ADDRESS.value
    assert text.startswith("Bonjour ann,")


async def test_the_sms_speaks_the_asker_s_language(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    assert await desk.ask(NUMBER, Asker(HOME.address, "ru"))
    ((to, text),) = desk.sms.messages
    assert to == NUMBER.value
    assert "код для входа" in text
    assert desk.outcomes == {"sent": 1}


@BOTH
async def test_who_gets_no_code(desk: CodeDesk, contact: Contact) -> None:
    ann = await desk.add("ann", contact)
    await desk.delete(ann)
    assert not await desk.ask(contact)
    assert (desk.sms.messages, await desk.mails()) == ([], [])


@BOTH
async def test_the_code_is_kept_as_a_keyed_hash_only(tmp_path: Path, contact: Contact) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.add("ann", contact)
        code = await desk.code(contact)
        row = await desk.row(contact)
    assert row is not None
    assert row.mac == PEPPER.sign_in_mac(row.contact, row.account_id or 0, code)
    assert code not in repr(row)


@BOTH
async def test_a_new_code_replaces_the_old_one_after_a_while(desk: CodeDesk, contact: Contact) -> None:
    await desk.add("ann", contact)
    first = await desk.code(contact)
    desk.clock.advance(desk.policy.resend_after - SECOND)
    assert not await desk.ask(contact)
    desk.clock.advance(SECOND)
    second = await desk.code(contact)
    assert first != second
    assert await desk.enter(contact, first) == BadCode()
    await desk.enters(contact, second)


@BOTH
async def test_a_code_expires_and_its_row_is_swept(desk: CodeDesk, contact: Contact) -> None:
    await desk.add("ann", contact)
    code = await desk.code(contact)
    desk.clock.advance(desk.policy.code_ttl)
    assert await desk.enter(contact, code) == BadCode()
    assert await desk.row(contact) is not None
    await desk.store.write(lambda transaction: purge(transaction, desk.clock))
    assert await desk.row(contact) is None


async def test_a_second_factor_is_still_asked_for(desk: CodeDesk) -> None:
    ann = await desk.add("ann", ADDRESS)
    await add_totp(desk, ann)
    code = await desk.code(ADDRESS)
    assert isinstance(await desk.enter(ADDRESS, code), SecondFactorRequired)
    assert await desk.enter(ADDRESS, code) == BadCode(), "it was used up"


@BOTH
@pytest.mark.parametrize("event", [event for event in AccountEvent if event is not AccountEvent.DELETED])
async def test_what_ends_a_code(desk: CodeDesk, contact: Contact, event: AccountEvent) -> None:
    ann = await desk.add("ann", contact)
    code = await desk.code(contact)
    await desk.end(ann, event)
    ended = WHAT_ENDS_WHAT[event][Outstanding.CODES] is Fate.ENDED
    assert isinstance(await desk.enter(contact, code), BadCode if ended else SignedIn)


@BOTH
async def test_a_code_of_a_deleted_account_is_a_wrong_one(desk: CodeDesk, contact: Contact) -> None:
    ann = await desk.add("ann", contact)
    code = await desk.code(contact)
    await desk.delete(ann)
    assert await desk.enter(contact, code) == BadCode()
    assert await desk.row(contact) is None
    bob = await desk.add("bob", contact)  # the contact is free again
    assert await desk.enter(contact, code) == BadCode()
    assert (await desk.enters(contact, await desk.code(contact))).user_id == bob


@BOTH
async def test_a_contact_that_is_the_account_s_no_more_opens_nothing(
    desk: CodeDesk, contact: Contact
) -> None:
    ann = await desk.add("ann", contact)
    code = await desk.code(contact)
    await desk.store.write(lambda transaction: transaction.contacts.release_all(ann))
    assert await desk.enter(contact, code) == BadCode()


# --- what the answer tells
async def test_the_answer_depends_on_the_clock_and_the_client_alone(desk: CodeDesk) -> None:
    await desk.add("ann", ADDRESS)
    expected = after(desk.clock.now(), desk.policy.resend_after)
    for contact in (ADDRESS, NUMBER, email("nobody@example.org"), ADDRESS, ADDRESS):
        assert await desk.service.ask(CodeWish(contact, HOME), NO_CAPTCHA) == expected
    assert (await desk.mails(), desk.sms.messages) == ([], []), "it is answered before anything is looked up"


async def test_wishes_are_served_in_the_background(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.service.run)
        assert isinstance(await desk.service.ask(CodeWish(NUMBER, HOME), NO_CAPTCHA), int)
        with trio.fail_after(20):
            while not desk.sms.messages:  # noqa: ASYNC110  (a provider tells nobody that it was asked)
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    await desk.enters(NUMBER, desk.sms.code)


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    async with open_desk(tmp_path, bounded=False) as desk:
        for _ in range(MOST_WISHES):
            assert isinstance(await desk.service.ask(CodeWish(NUMBER, HOME), NO_CAPTCHA), int)
        assert await desk.service.ask(CodeWish(NUMBER, HOME), NO_CAPTCHA) == TooManyRequests(1)


async def test_a_captcha_comes_first(tmp_path: Path) -> None:
    async with open_desk(tmp_path, captcha=Locked()) as desk:
        assert await desk.service.ask(CodeWish(NUMBER, HOME), NO_CAPTCHA) == BadCaptcha()


async def test_one_client_gets_so_many_answers_a_day(tmp_path: Path) -> None:
    async with open_desk(tmp_path, daily_codes_per_address=2) as desk:
        for name in ("ann", "nobody"):
            assert isinstance(await desk.service.ask(CodeWish(email(f"{name}@x.org"), HOME), NO_CAPTCHA), int)
        refused = await desk.service.ask(CodeWish(ADDRESS, HOME), NO_CAPTCHA)
        assert refused == TooManyRequests(DAY // 1000)
        assert isinstance(await desk.service.ask(CodeWish(ADDRESS, STRANGER), NO_CAPTCHA), int)


def visible(row: SignInCode | None) -> object:
    """All of a record but whose it is."""
    return row and (row.network, row.own_tries, row.other_tries, row.retry_at, row.expires_at)


@BOTH
async def test_a_contact_of_nobody_s_goes_the_same_way(desk: CodeDesk, contact: Contact) -> None:
    """Records, tries, counted guesses, budgets: what any later answer or its time could depend on."""
    known, unknown = contact, email("b@example.org") if contact is ADDRESS else phone("+380671112233")
    await desk.add("ann", known)

    async def told(of: Contact) -> tuple[object, ...]:
        async def read(transaction: Transaction) -> tuple[int, ...]:
            key, now = PEPPER.contact_key(of), desk.clock.now()
            scopes = ("sign-in codes", "mails an hour", "mails a day")
            spent = [
                await transaction.budgets.spent(PEPPER.budget_key(scope, key), DAY, now) for scope in scopes
            ]
            owner = await transaction.contacts.owner(key)
            target = f"account:{owner.id}" if owner else f"name:{of.value}"
            counter = desk.guard._parts.hashes.counter(target)
            failures = await transaction.guesses.failures(counter)
            return (*spent, 0 if failures is None else failures.count)

        return visible(await desk.row(of)), await desk.store.read(read)

    for turn in range(14):
        asker = HOME if turn % 3 else STRANGER
        for of in (known, unknown):
            await desk.ask(of, asker)
            for guess in range(3):
                assert await desk.enter(of, f"{100_000 + guess}", asker) == BadCode()
        assert await told(known) == await told(unknown), turn
        desk.clock.advance(20 * SECOND * (1 + turn))


# --- guessing
@BOTH
async def test_a_code_is_compared_five_times(desk: CodeDesk, contact: Contact) -> None:
    await desk.add("ann", contact)
    code = await desk.code(contact)
    for _ in range(CODE_TRIES):
        assert await desk.enter(contact, wrong(code)) == BadCode()
    assert await desk.enter(contact, code) == BadCode()


async def test_what_can_be_no_code_costs_no_try(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    code = await desk.code(NUMBER)
    for guess in ("", "12345", "1234567", "abcdef", -1, 10**6, 10**99, "1" * 9999, "\ud800"):
        assert await desk.enter(NUMBER, guess) == BadCode()
    row = await desk.row(NUMBER)
    assert row is not None
    assert (row.own_tries, row.other_tries) == (CODE_TRIES, CODE_TRIES)
    await desk.enters(NUMBER, code)


@BOTH
async def test_strangers_use_up_no_try_of_the_network_that_asked(desk: CodeDesk, contact: Contact) -> None:
    await desk.add("ann", contact)
    code = await desk.code(contact)
    for number in range(50):
        stranger = Asker(f"198.51.100.{number}", "en")
        assert await desk.enter(contact, wrong(code), stranger) == BadCode()
    assert await desk.enter(contact, code, STRANGER) == BadCode()
    await desk.enters(contact, code)


async def test_200_wrong_ones_at_once_are_five(desk: CodeDesk) -> None:
    ann = await desk.add("ann", NUMBER)
    code = await desk.code(NUMBER)
    async with trio.open_nursery() as nursery:
        for _ in range(200):
            nursery.start_soon(desk.enter, NUMBER, wrong(code))
    row = await desk.row(NUMBER)
    assert row is not None
    assert row.own_tries == 0
    assert await failures(desk, ann) == CODE_TRIES


async def test_200_right_ones_at_once_are_one(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    code = await desk.code(NUMBER)
    outcomes: list[object] = []

    async def enter() -> None:
        outcomes.append(await desk.enter(NUMBER, code))

    async with trio.open_nursery() as nursery:
        for _ in range(200):
            nursery.start_soon(enter)
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert outcomes.count(BadCode()) == 199


async def test_a_day_has_ten_tries_over_all_codes(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    for _ in range(2):
        code = await desk.code(NUMBER)
        for _ in range(CODE_TRIES):
            assert await desk.enter(NUMBER, wrong(code)) == BadCode()
        desk.clock.advance(MINUTE)
    assert await desk.enter(NUMBER, await desk.code(NUMBER)) == BadCode()
    desk.clock.advance(DAY)
    await desk.enters(NUMBER, await desk.code(NUMBER))


async def test_a_success_begins_the_tries_anew(desk: CodeDesk) -> None:
    """Whoever signs in often by code is not taken for somebody who guesses."""
    await desk.add("ann", NUMBER)
    for _ in range(desk.policy.daily_codes_per_contact):
        code = await desk.code(NUMBER)
        for _ in range(CODE_TRIES - 1):
            assert await desk.enter(NUMBER, wrong(code)) == BadCode()
        await desk.enters(NUMBER, code)
        desk.clock.advance(MINUTE)


async def failures(desk: CodeDesk, account: AccountId, asker: Asker = STRANGER) -> int:
    """Failures in a row that count for this asker, who gives up."""

    async def see(transaction: Transaction) -> int:
        hashes = desk.guard._parts.hashes
        network = hashes.network(asker.address)
        assert network is not None
        known = await transaction.networks.signed_in_at(account, network)
        counter = hashes.counter(f"account:{account}", None if known is None else network)
        found = await transaction.guesses.failures(counter)
        return 0 if found is None else found.count

    return await desk.store.read(see)


async def test_wrong_codes_count_at_the_account(desk: CodeDesk) -> None:
    ann = await desk.add("ann", NUMBER)
    code = await desk.code(NUMBER)
    for _ in range(FREE_FAILURES):
        assert await desk.enter(NUMBER, wrong(code)) == BadCode()
    async with desk.guard.attempt(target_account(ann), STRANGER) as attempt:
        assert isinstance(attempt, TooManyRequests)


async def fail(desk: CodeDesk, account: AccountId, times: int) -> None:
    """Wrong passwords of strangers, each as soon as it may be."""
    for _ in range(times):
        while True:
            async with desk.guard.attempt(target_account(account), STRANGER) as attempt:
                pass
            if not isinstance(attempt, TooManyRequests):
                break
            desk.clock.advance(attempt.retry_after * SECOND)


async def test_codes_stay_open_when_the_password_is_closed(desk: CodeDesk) -> None:
    ann = await desk.add("ann", NUMBER)
    await fail(desk, ann, MOST_FAILURES)
    async with desk.guard.attempt(target_account(ann), HOME) as attempt:
        assert isinstance(attempt, TooManyRequests)
    code = await desk.code(NUMBER)
    assert await desk.enter(NUMBER, wrong(code)) == BadCode()
    assert await failures(desk, ann) == MOST_FAILURES, "the day is not prolonged"
    await desk.enters(NUMBER, code)
    assert await failures(desk, ann) == 0
    assert await failures(desk, ann, HOME) == 0, "from a network that is known by now"


async def test_the_network_of_a_sign_in_is_remembered(desk: CodeDesk) -> None:
    ann = await desk.add("ann", NUMBER)
    await desk.enters(NUMBER, await desk.code(NUMBER))
    await fail(desk, ann, MOST_FAILURES)
    async with desk.guard.attempt(target_account(ann), STRANGER) as attempt:
        assert isinstance(attempt, TooManyRequests)
    async with desk.guard.attempt(target_account(ann), HOME) as attempt:
        assert not isinstance(attempt, TooManyRequests)


# --- budgets
async def test_one_address_gets_few_mails_an_hour(desk: CodeDesk) -> None:
    await desk.add("ann", ADDRESS)
    sent = 0
    for _ in range(HOURLY_MAILS + 3):
        sent += await desk.ask(ADDRESS)
        desk.clock.advance(MINUTE)
    assert sent == HOURLY_MAILS
    desk.clock.advance(HOUR)
    assert await desk.ask(ADDRESS)


async def test_one_number_gets_ten_codes_a_day(desk: CodeDesk) -> None:
    await desk.add("ann", NUMBER)
    sent = 0
    for _ in range(30):
        sent += await desk.ask(NUMBER)
        desk.clock.advance(MINUTE)
    assert sent == desk.policy.daily_codes_per_contact


async def test_a_block_of_numbers_gets_few_messages(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SmsPolicy()) as desk:
        for number in range(BLOCK_HOURLY + 2):
            await desk.add(f"person{number}", phone(f"+38050111000{number}"))
        sent = [await desk.ask(phone(f"+38050111000{number}")) for number in range(BLOCK_HOURLY + 2)]
        assert sent.count(True) == BLOCK_HOURLY
        assert desk.outcomes == {"sent": BLOCK_HOURLY, "block": 2}
        last = phone(f"+38050111000{BLOCK_HOURLY}")
        held = await desk.row(last)
        assert held is not None, "as for a number that is nobody's"
        assert held.account_id is None


async def test_entered_codes_count_towards_no_block(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SmsPolicy()) as desk:
        await desk.add("ann", NUMBER)
        for _ in range(2 * BLOCK_HOURLY):
            await desk.enters(NUMBER, await desk.code(NUMBER))
        assert desk.outcomes == {"sent": 2 * BLOCK_HOURLY, "entered": 2 * BLOCK_HOURLY}


async def test_numbers_of_nobody_s_cost_the_operator_nothing(tmp_path: Path) -> None:
    """They are not counted towards the messages of a day either."""
    async with open_desk(tmp_path, SmsPolicy(daily_max=1)) as desk:
        await desk.add("ann", NUMBER)
        for number in range(10):
            assert not await desk.ask(phone(f"+38067222000{number}"))
        assert await desk.ask(NUMBER)
        assert desk.outcomes == {"sent": 1}


async def test_a_country_that_is_not_named_gets_none(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SmsPolicy(countries=frozenset({"DE"}))) as desk:
        await desk.add("ann", NUMBER)
        assert not await desk.ask(NUMBER)
        assert desk.outcomes == {"country": 1}


async def test_a_test_number_has_its_code_and_gets_no_message(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SmsPolicy(test={NUMBER.value: "424242"})) as desk:
        await desk.add("ann", NUMBER)
        assert await desk.ask(NUMBER)
        assert desk.sms.messages == []
        await desk.enters(NUMBER, 424242)


async def test_a_code_that_was_not_sent_is_taken_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SmsPolicy(daily_max=2)) as desk:
        await desk.add("ann", NUMBER)
        desk.sms.faults = 1
        assert not await desk.ask(NUMBER)
        row = await desk.row(NUMBER)
        assert row is not None
        assert row.account_id is None
        desk.clock.advance(MINUTE)
        first = await desk.code(NUMBER)
        desk.clock.advance(MINUTE)
        desk.sms.faults = 1
        assert not await desk.ask(NUMBER)
        await desk.enters(NUMBER, first)  # the one before is good again
        desk.clock.advance(MINUTE)
        assert await desk.ask(NUMBER), "what was not sent does not count towards the day"
        assert desk.outcomes == {"sent": 2, "failed": 2, "entered": 1}


# --- bound to contact, account and purpose
@given(
    digits=st.text("0123456789", min_size=4, max_size=10),
    numbers=st.lists(st.integers(1, 9_999), min_size=2, max_size=2, unique=True),
    accounts=st.lists(st.integers(1, 2**53 - 1), min_size=2, max_size=2, unique=True),
    key=st.binary(min_size=16, max_size=40),
)
@settings(max_examples=200)
def test_a_code_is_bound_to_contact_account_and_purpose(
    digits: str, numbers: list[int], accounts: list[int], key: bytes
) -> None:
    pepper = Pepper(key)
    one, other = [pepper.contact_key(phone(f"+38050111{number:04}")) for number in numbers]
    macs = [
        pepper.sign_in_mac(contact, account, digits) for contact in (one, other) for account in accounts
    ] + [pepper.code_mac(contact, digits) for contact in (one, other)]
    assert len(set(macs)) == len(macs)


@given(guesses=st.lists(st.sampled_from(("ann", "bob")), min_size=1, max_size=4))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_code_of_one_contact_never_opens_another(
    tmp_path_factory: pytest.TempPathFactory, guesses: list[str]
) -> None:
    """Each is entered for the other's contact, in any order: only its own contact takes it."""

    async def run() -> None:
        async with open_desk(tmp_path_factory.mktemp("desk")) as desk:
            contacts = {"ann": ADDRESS, "bob": NUMBER}
            ids = {name: await desk.add(name, contact) for name, contact in contacts.items()}
            codes = {name: await desk.code(contact) for name, contact in contacts.items()}
            for name in guesses:
                other = "bob" if name == "ann" else "ann"
                if codes[name] != codes[other]:
                    assert await desk.enter(contacts[other], codes[name]) == BadCode()
            for name, contact in contacts.items():
                assert (await desk.enters(contact, codes[name])).user_id == ids[name]

    trio.run(run)


async def test_codes_of_the_steps_sign_nobody_in_and_the_other_way_round(tmp_path: Path) -> None:
    """One store, one number: a registration by steps under way, and an account that gets the number meanwhile."""
    async with open_steps(tmp_path) as steps:
        desk = CodeDesk(steps.store)
        await steps.service.first_step(NUMBER, "", "web", HOME)
        registering = steps.sms.code
        assert await desk.enter(NUMBER, registering) == BadCode()
        await desk.add("ann", NUMBER)
        signing_in = await desk.code(NUMBER)
        assert signing_in != registering
        assert await desk.enter(NUMBER, registering) == BadCode()
        refused = await steps.service.verify(NUMBER, signing_in, False, HOME.address)
        assert isinstance(refused, AlreadyRegistered), "the contact is an account's by now"
        row = await steps.row(NUMBER)
        assert row.state == "verify"
        await desk.enters(NUMBER, signing_in)
