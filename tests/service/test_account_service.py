"""Accounts as use cases: deletion, sign-out, tickets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.instant import DAY, SECOND
from regserver.domain.outcome import (
    BadToken,
    UserIsDeleted,
)
from regserver.domain.secret import hash_secret
from regserver.service.account_service import AccountDetail
from regserver.service.identity_service import TICKET_TTL, Session
from tests.rooms import Rooms, made, open_rooms


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


async def test_deletion_leaves_everything_in_one_piece(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    shared = [await rooms.room(ann, bob) for _ in range(3)]
    alone = await rooms.room(ann)
    before = (await rooms.end()).id
    assert await rooms.delete(ann.token) is None
    assert (await rooms.end()).id == before + 4
    assert await rooms.delete(ann.token) == UserIsDeleted()
    detail = made(AccountDetail, await rooms.accounts.info(bob.token))
    assert list(detail.rooms) == shared
    door = await rooms.store.read(lambda transaction: transaction.rooms.access(alone, bob.id))
    assert door is None


async def test_deleting_twice_at_once_deletes_once(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    await rooms.room(ann, bob)
    outcomes = []

    async def delete() -> None:
        outcomes.append(await rooms.delete(ann.token))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(delete)
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, *[UserIsDeleted()] * 4]))
    assert (await rooms.end()).id == 2


async def test_a_ticket_is_good_once_and_shortly(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    tickets = [hash_secret(made(str, await rooms.identity.issue_ticket(ann.token))) for _ in range(3)]
    sessions = []

    async def redeem() -> None:
        sessions.append(await rooms.identity.redeem_ticket(tickets[0]))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(redeem)
    assert len([session for session in sessions if isinstance(session, Session)]) == 1
    rooms.clock.advance(TICKET_TTL - 1)
    assert isinstance(await rooms.identity.redeem_ticket(tickets[1]), Session)
    rooms.clock.advance(1)
    assert await rooms.identity.redeem_ticket(tickets[2]) == BadToken()


async def test_a_ticket_ends_with_its_token(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    ticket = hash_secret(made(str, await rooms.identity.issue_ticket(ann.token)))
    await rooms.accounts.sign_out(ann.token, everywhere=False)
    assert await rooms.identity.redeem_ticket(ticket) == BadToken()


async def test_tokens_expire(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    rooms.clock.advance(10 * DAY - 1)
    session = made(Session, await rooms.identity.session(ann.token))
    assert session.expires_at == rooms.clock.now() + 1
    rooms.clock.advance(1)
    assert await rooms.identity.session(ann.token) == BadToken()
    rooms.clock.advance(SECOND)
    assert await rooms.accounts.info(ann.token) == BadToken()
