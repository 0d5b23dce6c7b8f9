"""Accounts as use cases: sign-up that may be repeated, deletion, sign-out, tickets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY, SECOND
from regserver.domain.outcome import (
    BadToken,
    EmailTaken,
    IdempotencyConflict,
    RegistrationClosed,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.secret import hash_secret
from regserver.service.account_service import AccountDetail
from regserver.service.identity_service import TICKET_TTL, Session, SignedIn
from tests.rooms import Rooms, made, open_rooms

PASSWORD = "a long password"
RETRY = Idempotency("key", b"one request")


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


async def test_a_repeated_sign_up_is_one_account_and_two_tokens(rooms: Rooms) -> None:
    first = made(SignedIn, await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY))
    again = made(SignedIn, await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY))
    assert first.user_id == again.user_id
    for signed_in in (first, again):
        assert isinstance(await rooms.accounts.info(hash_secret(signed_in.token)), AccountDetail)


async def test_a_repetition_must_be_the_same_request(rooms: Rooms) -> None:
    await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY)
    other = Idempotency("key", b"another request")
    for email, password, retry, refusal in (
        ("ann@example.org", PASSWORD, other, IdempotencyConflict()),
        ("ann@example.org", "a wrong password", RETRY, IdempotencyConflict()),
        ("ann@example.org", PASSWORD, None, UsernameTaken()),
        ("ann@example.org", PASSWORD, Idempotency("new key", b"one request"), UsernameTaken()),
    ):
        assert await rooms.accounts.register("ann", email, password, retry) == refusal
    # Somebody else's name is another matter, whatever the key.
    assert isinstance(await rooms.accounts.register("bob", "bob@example.org", PASSWORD, RETRY), SignedIn)
    rooms.clock.advance(DAY)
    assert await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY) == UsernameTaken()


async def test_the_same_sign_up_many_times_at_once(rooms: Rooms) -> None:
    outcomes = []

    async def register() -> None:
        outcomes.append(await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(register)
    assert len({made(SignedIn, outcome).user_id for outcome in outcomes}) == 1


async def test_a_deleted_account_is_not_signed_up_again(rooms: Rooms) -> None:
    first = made(SignedIn, await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY))
    await rooms.accounts.delete(hash_secret(first.token))
    assert await rooms.accounts.register("ann", "ann@example.org", PASSWORD, RETRY) == IdempotencyConflict()
    assert await rooms.accounts.register("Ann", "new@example.org", PASSWORD) == UsernameTaken()
    assert await rooms.accounts.register("anna", "ANN@example.org", PASSWORD) == EmailTaken()


async def test_closed_registration(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, open_registration=False) as rooms:
        outcome = await rooms.accounts.register("ann", "ann@example.org", PASSWORD)
        assert outcome == RegistrationClosed()


async def test_deletion_leaves_everything_in_one_piece(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    shared = [await rooms.room(ann, bob) for _ in range(3)]
    alone = await rooms.room(ann)
    before = (await rooms.end()).id
    assert await rooms.accounts.delete(ann.token) is None
    assert (await rooms.end()).id == before + 4
    assert await rooms.accounts.delete(ann.token) == UserIsDeleted()
    detail = made(AccountDetail, await rooms.accounts.info(bob.token))
    assert list(detail.rooms) == shared
    door = await rooms.store.read(lambda transaction: transaction.rooms.access(alone, bob.id))
    assert door is None


async def test_deleting_twice_at_once_deletes_once(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    await rooms.room(ann, bob)
    outcomes = []

    async def delete() -> None:
        outcomes.append(await rooms.accounts.delete(ann.token))

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
