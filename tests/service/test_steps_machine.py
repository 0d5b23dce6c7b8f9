"""Any steps in any order: states move only as the table says, and a refused step leaves its registration as it was."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regserver.domain.contact import Contact
from regserver.domain.instant import DAY, MINUTE, SECOND
from regserver.domain.steps_machine import (
    FIRST,
    TRANSITIONS,
    Registration,
    StepRefusal,
    StepsState,
    WrongCode,
)
from regserver.ports.store import EventListener, ForeignListener, Store, T
from regserver.ports.transaction import Transaction
from regserver.service.steps_service import StepResult
from tests.steps import ASKER, HERE, Steps, email, open_steps, phone, proposal

STEPS = ("first", "resend", "verify", "guess", "name", "register")
MOVES = st.tuples(
    st.sampled_from(STEPS),
    st.sampled_from([phone(), email()]),
    st.sampled_from([0, 46 * SECOND, 11 * MINUTE, DAY, 8 * DAY]),
)


async def take(steps: Steps, step: str, contact: Contact) -> StepResult | StepRefusal:
    service = steps.service
    found = await steps.store.read(lambda transaction: steps.lookup.find(transaction, contact))
    assert isinstance(found, Registration)
    match step:
        case "first":
            return await service.first_step(contact, "", "web", ASKER)
        case "resend":
            return await service.resend(contact, ASKER)
        case "verify":
            return await service.verify(contact, await last_code(steps, contact), False, ASKER.address)
        case "guess":
            return await service.verify(contact, "000000", False, ASKER.address)
        case "name":
            return await service.set_username(contact, f"user-{contact.kind}", HERE)
        case _:
            agreed = proposal(found.username or "nobody", found.user_id or "")
            return await steps.accounts.register(contact, agreed, HERE)


async def last_code(steps: Steps, contact: Contact) -> str:
    if contact.kind == "phone":
        return steps.sms.code if steps.sms.messages else ""
    rows = await steps.store.read(lambda transaction: transaction.outbox.list(1))
    return await steps.mailed_code() if rows else ""


async def stored_row(steps: Steps, contact: Contact) -> Registration | None:
    """The row as it is written, without what time did to it."""
    key = steps.pepper.contact_key(contact)
    return await steps.store.read(lambda transaction: transaction.registrations.by_contact(key))


async def state_of(steps: Steps, contact: Contact) -> StepsState:
    found = await steps.service.state(contact, HERE)
    assert isinstance(found, StepResult)
    return found.registration.state


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(MOVES, max_size=12))
async def test_any_steps_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, Contact, int]]
) -> None:
    async with open_steps(tmp_path_factory.mktemp("machine")) as steps:
        for step, contact, wait in moves:
            steps.clock.advance(wait)
            before, row = await state_of(steps, contact), await stored_row(steps, contact)
            outcome = await take(steps, step, contact)
            after = await state_of(steps, contact)
            if isinstance(outcome, StepResult):
                assert after in TRANSITIONS[before].values()
                assert outcome.registration.state == after
            else:
                assert after == before
                assert outcome.state == before
                if not isinstance(outcome, WrongCode):  # which counts the try
                    assert await stored_row(steps, contact) == row


@pytest.mark.parametrize("contact", [phone(), email()], ids=["phone", "email"])
async def test_a_wrong_code_changes_nothing_but_its_count(tmp_path: Path, contact: Contact) -> None:
    async with open_steps(tmp_path) as steps:
        await take(steps, "first", contact)
        before = await steps.row(contact)
        assert isinstance(await take(steps, "guess", contact), WrongCode)
        after = await steps.row(contact)
        assert after.code_tries == before.code_tries - 1
        assert (after.state, after.code, after.lapses_at) == (before.state, before.code, before.lapses_at)
        assert FIRST[contact.kind] != after.state


# --- what a step costs
class CountedStore(Store):
    """Passes everything on and counts the round trips."""

    def __init__(self, store: Store) -> None:
        self.commits = store.commits
        self._store = store
        self.trips = 0

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        self._store.listen_elsewhere(listener)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        self.trips += 1
        return await self._store.read(work)

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        self.trips += 1
        return await self._store.write(work)

    async def check(self) -> None:
        await self._store.check()

    def listen(self, listener: EventListener) -> None:
        self._store.listen(listener)


async def test_every_step_is_one_round_trip_to_the_store(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        counted = CountedStore(steps.store)
        steps.lookup._store = counted
        steps.service._parts = steps.accounts._parts = msgspec.structs.replace(
            steps.service._parts, store=counted
        )
        costs = {}
        for step in ("first", "guess", "verify", "name", "register"):
            counted.trips = 0
            await take(steps, step, phone())
            costs[step] = counted.trips
        assert costs == dict.fromkeys(costs, 1)


async def test_rewards_are_granted_all_or_none(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_registered(phone(), "somebody")

        async def crash_half_way(transaction: Transaction) -> None:
            await transaction.rewards.grant(user_id, "communitySubscriptions", "GIFS", steps.clock.now())
            raise LookupError

        with pytest.raises(LookupError):
            await steps.store.write(crash_half_way)
        assert await steps.onboarding.subscribed(user_id, ["GIFS", "GIRLS", "HEALTH"]) == 3
