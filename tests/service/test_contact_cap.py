"""The cap of contacts that one client may ask about: distinct ones, by network, over restarts."""

from pathlib import Path

import pytest
import trio

from regserver.domain.instant import DAY, SECOND, after
from regserver.service import contact_cap
from regserver.service.contact_cap import ContactCap
from tests.steps import Steps, email, open_steps, phone

MOST = 5
CONTACTS = [phone(f"+38044000{number:04}") for number in range(50)]


def cap_of(steps: Steps) -> ContactCap:
    return ContactCap(steps.store, steps.clock, steps.pepper, MOST)


async def test_so_many_contacts_a_day_and_each_as_often_as_one_likes(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        cap, until = cap_of(steps), after(steps.clock.now(), DAY)
        for _ in range(3):
            for contact in CONTACTS[:MOST]:
                assert await cap.take("192.0.2.1", contact) is None
        assert await cap.take("192.0.2.1", CONTACTS[MOST]) == until
        assert await cap.take("192.0.2.1", email()) == until
        assert await cap.take("192.0.2.1", CONTACTS[0]) is None
        steps.clock.advance(DAY)
        assert await cap.take("192.0.2.1", CONTACTS[MOST]) is None


async def test_each_network_has_its_own(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        cap = cap_of(steps)
        for number, contact in enumerate(CONTACTS[:MOST]):
            assert await cap.take(f"2001:db8::{number}", contact) is None
        assert await cap.take("2001:db8::ffff", CONTACTS[MOST]) is not None
        assert await cap.take("2001:db8:0:1::1", CONTACTS[MOST]) is None
        assert await cap.take("", CONTACTS[MOST]) is None


async def test_parallel_questions_and_another_node_gain_nothing(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        allowed = []

        async def ask(number: int, cap: ContactCap) -> None:
            allowed.append(await cap.take("192.0.2.1", CONTACTS[number]) is None)

        caps = cap_of(steps), cap_of(steps)
        async with trio.open_nursery() as nursery:
            for number in range(len(CONTACTS)):
                nursery.start_soon(ask, number, caps[number % 2])
        assert sum(allowed) == MOST


async def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_cap, "MAX_SEEN", 10)
    async with open_steps(tmp_path) as steps:
        cap = cap_of(steps)
        for network in range(20):
            for contact in CONTACTS[: MOST + 1]:
                await cap.take(f"192.0.2.{network}", contact)
            steps.clock.advance(SECOND)
        assert len(cap._counted) == len(cap._refused) == 10
