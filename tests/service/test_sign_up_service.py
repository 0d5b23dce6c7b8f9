"""Sign-up at the rooms door: it may be repeated, and races are settled by the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.account import AccountId, NewAccount, name_key
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY
from regserver.domain.outcome import (
    EmailTaken,
    IdempotencyConflict,
    RegistrationClosed,
    UsernameTaken,
)
from regserver.domain.secret import hash_secret
from regserver.ports.transaction import Transaction
from regserver.service.account_service import AccountDetail
from regserver.service.add_account import add_account
from regserver.service.identity_service import SignedIn
from tests.fake import claim_of
from tests.gate import CLOSED
from tests.guess import HOME
from tests.rooms import Rooms, made, open_rooms

PASSWORD = "a long password"
KEYED = Idempotency("key", b"one request")


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


async def test_a_repeated_sign_up_is_one_account_and_two_tokens(rooms: Rooms) -> None:
    first = made(SignedIn, await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED))
    again = made(SignedIn, await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED))
    assert first.user_id == again.user_id
    for signed_in in (first, again):
        assert isinstance(await rooms.accounts.info(hash_secret(signed_in.token)), AccountDetail)


async def test_a_repetition_must_be_the_same_request(rooms: Rooms) -> None:
    await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED)
    other = Idempotency("key", b"another request")
    for email, password, retry, refusal in (
        ("ann@example.org", PASSWORD, other, IdempotencyConflict()),
        ("ann@example.org", "a wrong password", KEYED, IdempotencyConflict()),
        ("ann@example.org", PASSWORD, None, UsernameTaken()),
        ("ann@example.org", PASSWORD, Idempotency("new key", b"one request"), UsernameTaken()),
    ):
        assert await rooms.sign_up("ann", email, password, retry) == refusal
    # Somebody else's name is another matter, whatever the key.
    assert isinstance(await rooms.sign_up("bob", "bob@example.org", PASSWORD, KEYED), SignedIn)
    rooms.clock.advance(DAY)
    assert await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED) == UsernameTaken()


async def test_the_same_sign_up_many_times_at_once(rooms: Rooms) -> None:
    outcomes = []

    async def register() -> None:
        outcomes.append(await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(register)
    assert len({made(SignedIn, outcome).user_id for outcome in outcomes}) == 1


async def test_a_deleted_account_is_not_signed_up_again(rooms: Rooms) -> None:
    first = made(SignedIn, await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED))
    await rooms.delete(hash_secret(first.token))
    assert await rooms.sign_up("ann", "ann@example.org", PASSWORD, KEYED) == IdempotencyConflict()
    assert await rooms.sign_up("Ann", "new@example.org", PASSWORD) == UsernameTaken()
    assert isinstance(await rooms.sign_up("anna", "ANN@example.org", PASSWORD), SignedIn)


async def test_closed_registration(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=CLOSED) as rooms:
        outcome = await rooms.sign_up("ann", "ann@example.org", PASSWORD)
        assert outcome == RegistrationClosed()


async def test_only_who_has_verified_an_address_has_it(rooms: Rooms) -> None:
    assert isinstance(await rooms.sign_up("mallory", "ann@example.org", PASSWORD), SignedIn)
    assert isinstance(await rooms.sign_up("ann", "Ann@Example.org", PASSWORD), SignedIn)
    now, claim = rooms.clock.now(), claim_of("ann@example.org")
    proven = NewAccount(
        username="ann5", email="ann@example.org", origin="directory", created_at=now, contact=claim
    )
    number = made(int, await rooms.store.write(lambda transaction: add_account(transaction, proven)))
    assert await rooms.sign_up("anna", "ANN@example.org", PASSWORD) == EmailTaken()

    async def addresses(transaction: Transaction) -> list[tuple[str | None, bool]]:
        keys = [name_key(name) for name in ("mallory", "ann", "ann5")]
        found = [await transaction.accounts.by_name(key) for key in keys]
        return [(each.email, each.verified_email is not None) for each in found if each is not None]

    # What the others had was a wish.
    assert await rooms.store.read(addresses) == [(None, False), (None, False), ("ann@example.org", True)]
    owner = await rooms.store.read(lambda transaction: transaction.contacts.owner(claim.key))
    assert owner is not None
    assert owner.id == number


async def test_the_address_of_a_deleted_account_is_free_at_once(rooms: Rooms) -> None:
    now, claim = rooms.clock.now(), claim_of("ann@example.org")
    proven = NewAccount(
        username="ann5", email="ann@example.org", origin="directory", created_at=now, contact=claim
    )

    async def work(transaction: Transaction) -> SignedIn:
        account = AccountId(made(int, await add_account(transaction, proven)))
        return await rooms.identity.issue(transaction, account, HOME)

    token = (await rooms.store.write(work)).token
    assert await rooms.sign_up("anna", "ANN@example.org", PASSWORD) == EmailTaken()
    await rooms.delete(hash_secret(token))
    assert isinstance(await rooms.sign_up("anna", "ANN@example.org", PASSWORD), SignedIn)
