"""The registration by steps: guesses, codes, names, the journal of the ledger and what is signed for another one."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.contact import Contact
from regserver.domain.instant import MINUTE, Instant
from regserver.ports.store import Store
from regserver.ports.submission_table import Submission
from regserver.ports.transaction import Lock
from regserver.service.ledger_check import verify_ledger
from regserver.service.operator.steps import StepsDesk
from regserver.service.operator.unit import LocalOperator, OperatorUnit
from regserver.service.registration_lookup import RegistrationLookup
from regserver.service.sms_guard import SmsPolicy
from regserver.service.steps_code import Issued
from regserver.service.steps_policy import StepsPolicy
from tests.fake import JOURNAL_SEAL
from tests.steps import ASKER, HERE, Steps, email, phone, proposal
from tests.store.race import Racer, Racers, Scenario, rows

ANN, BOB = phone("+380000000001"), phone("+380000000002")
ELSEWHERE = phone("+380990000001")
WRONG = "000000"
Fill = Callable[[Steps], Awaitable[object]]
REGISTRATIONS = (
    "SELECT contact, state, code_tries, resends, username FROM steps_registration ORDER BY contact"
)
NAMES = "SELECT name_key, substr(holder, 1, 4) FROM name ORDER BY 1"
BUDGETS = "SELECT budget, spent FROM steps_budget ORDER BY 1"
TALLIES = "SELECT country, slot, sent, entered, closed_until FROM sms_tally ORDER BY 1, 2"


async def observe(steps: Steps) -> object:
    """Registrations, names, budgets, and whether the journal is whole."""
    journal = await verify_ledger(steps.store, JOURNAL_SEAL)
    entries = await rows(steps.store, "SELECT count(*) FROM ledger_journal")
    return (
        *[await rows(steps.store, statement) for statement in (REGISTRATIONS, NAMES, BUDGETS, TALLIES)],
        type(journal).__name__,
        entries,
    )


def between(
    name: str, fill: Fill, pair: Callable[[Steps], tuple[Racer, Racer]], lock: Lock | None, **figures: int
) -> Scenario:
    """figures: of the policy, where they differ from the defaults."""

    async def prepare(store: Store) -> Racers:
        policy = msgspec.structs.replace(StepsPolicy(), **figures)
        steps = Steps(store, policy, None, EmbeddedLedger(JOURNAL_SEAL), SmsPolicy())
        await fill(steps)
        return Racers(*pair(steps), partial(observe, steps))

    return Scenario(name, prepare, lock)


async def nothing(steps: Steps) -> None:
    """Nobody has begun."""


async def code_sent(steps: Steps) -> None:
    await steps.service.first_step(ANN, "", "web", ASKER)


async def one_code_before_closing(steps: Steps) -> None:
    """Of codes that nobody enters."""
    await steps.store.write(lambda transaction: transaction.sms.count("UA", steps.clock.now(), sent=19))


async def late(steps: Steps) -> None:
    """Late enough for another code."""
    await code_sent(steps)
    steps.clock.advance(MINUTE)


async def one_try_left(steps: Steps) -> None:
    await code_sent(steps)
    for _ in range(4):
        await steps.service.verify(ANN, WRONG, False, ASKER.address)


async def both_verified(steps: Steps) -> None:
    for contact in (ANN, BOB):
        await steps.to_verified(contact)


async def both_named(steps: Steps) -> None:
    await steps.to_named(ANN, "ann")
    await steps.to_named(BOB, "bob")


def first_step(steps: Steps, contact: Contact) -> Racer:
    return partial(steps.service.first_step, contact, "", "web", ASKER)


def guess(steps: Steps, code: str = WRONG) -> Racer:
    return partial(steps.service.verify, ANN, code, False, ASKER.address)


def name(steps: Steps, contact: Contact, username: str) -> Racer:
    return partial(steps.service.set_username, contact, username, HERE)


def register(steps: Steps, contact: Contact, username: str) -> Racer:
    async def racer() -> object:
        user_id = (await steps.row(contact)).user_id or ""
        return await steps.accounts.register(contact, proposal(username, user_id), HERE)

    return racer


def take_back(steps: Steps) -> Racer:
    """What follows when the provider does not take the message of a code that was sent before."""

    async def racer() -> object:
        row = await steps.row(ANN)
        before = msgspec.structs.replace(row, state="firstStep", code=None)
        issued = Issued(before, row, "", ASKER, ())
        await steps.store.write(lambda transaction: steps.service._codes.take_back(transaction, ANN, issued))
        return None

    return racer


def forget_user_id(steps: Steps) -> Racer:
    """What follows when another ledger has somebody else of that userId."""
    return lambda: steps.store.write(lambda transaction: steps.accounts._forget_user_id(transaction, ANN))


def unlock(steps: Steps) -> Racer:
    lookup = RegistrationLookup(steps.store, steps.clock, steps.pepper, steps.policy)
    desk = StepsDesk(OperatorUnit(steps.store, steps.clock), lookup, steps.pepper, steps.policy)
    return partial(desk.unlock, LocalOperator("command ivo"), ANN)


def offer(steps: Steps, transaction_id: str) -> Racer:
    """What is signed first is what both push."""
    submission = Submission(
        user_id="u",
        owner_key="o",
        active_key="a",
        transaction_id=transaction_id,
        signed=transaction_id.encode(),
        expires_at=Instant(steps.clock.now() + MINUTE),
    )

    async def racer() -> object:
        async def work(transaction: Any) -> str:
            stored: Submission = await transaction.submissions.offer(submission, steps.clock.now())
            return stored.transaction_id

        return await steps.store.write(work)

    return racer


SCENARIOS = (
    between("two wrong guesses", code_sent, lambda s: (guess(s), guess(s)), Lock.CONTACT),
    between("two guesses of the last try", one_try_left, lambda s: (guess(s), guess(s)), Lock.CONTACT),
    between(
        "a right and a wrong guess of the last try",
        one_try_left,
        lambda s: (guess(s, s.sms.code), guess(s)),
        Lock.CONTACT,
    ),
    between(
        "a code is used twice",
        code_sent,
        lambda s: (guess(s, s.sms.code), guess(s, s.sms.code)),
        Lock.CONTACT,
    ),
    between("two first steps", nothing, lambda s: (first_step(s, ANN), first_step(s, ANN)), Lock.CONTACT),
    between(
        "the last code of an address",
        nothing,
        lambda s: (first_step(s, email("ann@x.org")), first_step(s, email("bob@x.org"))),
        Lock.BUDGET,
        daily_codes_per_address=1,
    ),
    between(
        "the last code of a country that nobody enters",
        one_code_before_closing,
        lambda s: (first_step(s, ANN), first_step(s, ELSEWHERE)),
        Lock.SMS,
    ),
    between(
        "a country's code and one that is entered",
        code_sent,
        lambda s: (first_step(s, ELSEWHERE), guess(s, s.sms.code)),
        None,
    ),
    between("two codes of an address", nothing, lambda s: (first_step(s, ANN), first_step(s, BOB)), None),
    between(
        "two more codes",
        late,
        lambda s: (partial(s.service.resend, ANN, ASKER), partial(s.service.resend, ANN, ASKER)),
        Lock.CONTACT,
    ),
    between(
        "a guess and a code that is taken back", code_sent, lambda s: (guess(s), take_back(s)), Lock.CONTACT
    ),
    between("a guess and an operator", code_sent, lambda s: (guess(s), unlock(s)), Lock.CONTACT),
    between(
        "two contacts choose one name",
        both_verified,
        lambda s: (name(s, ANN, "alice"), name(s, BOB, "alice")),
        None,
    ),
    between(
        "one contact chooses two names",
        both_verified,
        lambda s: (name(s, ANN, "alice"), name(s, ANN, "alina")),
        Lock.CONTACT,
    ),
    between(
        "a name is chosen and a userId forgotten",
        both_named,
        lambda s: (forget_user_id(s), name(s, ANN, "alice")),
        Lock.CONTACT,
    ),
    between(
        "two accounts for the journal",
        both_named,
        lambda s: (register(s, ANN, "ann"), register(s, BOB, "bob")),
        Lock.JOURNAL,
    ),
    between(
        "one account twice",
        both_named,
        lambda s: (register(s, ANN, "ann"), register(s, ANN, "ann")),
        Lock.CONTACT,
    ),
    between("two signed submissions", nothing, lambda s: (offer(s, "one"), offer(s, "two")), None),
)
