"""A new password by somebody who is signed in: what proves that it is them, what is refused, and what ends."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import trio

from regserver.domain.account import AccountId
from regserver.domain.guess import FREE_FAILURES
from regserver.domain.instant import DAY
from regserver.domain.outcome import (
    BadCredentials,
    BadPassword,
    BadRecovery,
    BadToken,
    PasswordAtSource,
    RecentSignInRequired,
    Refusal,
    TooManyRequests,
    UserIsDeleted,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.session import RECENT_SIGN_IN
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import SignedIn
from regserver.service.password_change import PasswordChange
from tests.address import HASHER
from tests.change import account_of, give_source, is_signed_in, open_password_change
from tests.guess import HOME
from tests.recovery import open_account_recovery, recovery_link
from tests.rooms import Rooms, made, open_rooms

PASSWORD, NEW = "a long password", "quite another phrase"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


@pytest.fixture
def passwords(rooms: Rooms) -> PasswordChange:
    return open_password_change(rooms)


async def begin(rooms: Rooms, name: str = "ann") -> tuple[AccountId, SecretHash]:
    signed_in = made(SignedIn, await rooms.sign_up(name, f"{name}@example.org", PASSWORD))
    return signed_in.user_id, hash_secret(signed_in.token)


async def another_session(rooms: Rooms, account: AccountId, name: str | None = None) -> SecretHash:
    async def work(transaction: Transaction) -> SignedIn:
        if name is None:
            return await rooms.identity.issue(transaction, account, HOME)
        return await rooms.identity.issue_named(transaction, account, HOME, name, DAY)

    return hash_secret((await rooms.store.write(work)).token)


async def opens(rooms: Rooms, account: AccountId, passwords: Sequence[str]) -> list[bool]:
    known = (await account_of(rooms, account)).password_hash
    return [bool(await HASHER.verify(password, known)) for password in passwords]


async def test_the_session_that_asks_stays_and_all_others_end(
    rooms: Rooms, passwords: PasswordChange
) -> None:
    account, token = await begin(rooms)
    others = [await another_session(rooms, account), await another_session(rooms, account, "backup")]
    assert await passwords.change(token, PASSWORD, NEW, HOME) is None
    assert await is_signed_in(rooms, token)
    assert [await is_signed_in(rooms, other) for other in others] == [False, False]
    assert await opens(rooms, account, [PASSWORD, NEW]) == [False, True]


async def test_the_owner_is_told_at_the_verified_address_only(
    rooms: Rooms, passwords: PasswordChange
) -> None:
    account, token = await begin(rooms)
    count = len(await rooms.mails())
    assert await passwords.change(token, PASSWORD, NEW, HOME) is None
    assert len(await rooms.mails()) == count
    now = rooms.clock.now()
    await rooms.store.write(lambda transaction: transaction.accounts.verify_email(account, now))
    assert await passwords.change(token, NEW, PASSWORD, HOME) is None
    told = (await rooms.mails())[count:]
    assert [(mail.to, mail.subject) for mail in told] == [
        ("ann@example.org", "Your password at example.org was changed")
    ]


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("wrong", NEW, BadCredentials()),
        ("", NEW, BadCredentials()),
        (None, NEW, BadCredentials()),
        (NEW, NEW, BadCredentials()),
        (PASSWORD, "short", BadPassword()),
        (PASSWORD, "password1234", BadPassword()),
        (PASSWORD, "x" * 257, BadPassword()),
        (PASSWORD, "Ann@Example.org", BadPassword()),
    ],
)
async def test_one_wrong_field_changes_nothing(
    rooms: Rooms, passwords: PasswordChange, old: str | None, new: str, refusal: Refusal
) -> None:
    account, token = await begin(rooms)
    other = await another_session(rooms, account)
    count = len(await rooms.mails())
    assert await passwords.change(token, old, new, HOME) == refusal
    assert await passwords.change(hash_secret("nothing"), PASSWORD, NEW, HOME) == BadToken()
    assert await is_signed_in(rooms, other)
    assert await opens(rooms, account, [PASSWORD, NEW]) == [True, False]
    assert len(await rooms.mails()) == count


async def test_a_wrong_old_password_is_a_guess_and_a_bad_new_one_is_none(
    rooms: Rooms, passwords: PasswordChange
) -> None:
    _, token = await begin(rooms)
    for _ in range(FREE_FAILURES + 3):
        assert await passwords.change(token, PASSWORD, "short", HOME) == BadPassword()
    for _ in range(FREE_FAILURES):
        assert await passwords.change(token, "wrong", NEW, HOME) == BadCredentials()
    assert isinstance(await passwords.change(token, PASSWORD, NEW, HOME), TooManyRequests)
    rooms.clock.advance(DAY)
    assert await passwords.change(token, PASSWORD, NEW, HOME) is None
    for _ in range(FREE_FAILURES):  # a success has reset the counter
        assert await passwords.change(token, "wrong", NEW, HOME) == BadCredentials()


async def test_the_password_of_a_source_is_changed_there(rooms: Rooms, passwords: PasswordChange) -> None:
    account, token = await begin(rooms)
    await give_source(rooms, account, "http")
    assert await passwords.change(token, PASSWORD, NEW, HOME) == PasswordAtSource()
    assert await opens(rooms, account, [PASSWORD]) == [True]
    await give_source(rooms, account, "duplicate:n")  # such an account's person has another one at the source
    assert await passwords.change(token, PASSWORD, NEW, HOME) is None


async def test_a_first_password_needs_a_recent_sign_in(rooms: Rooms, passwords: PasswordChange) -> None:
    person = await rooms.person("ann")  # without a password
    named = await another_session(rooms, person.id, "backup")
    assert await passwords.change(named, None, NEW, HOME) == RecentSignInRequired()
    rooms.clock.advance(RECENT_SIGN_IN - 1)
    assert await passwords.change(person.token, None, "short", HOME) == BadPassword()
    rooms.clock.advance(1)
    assert await passwords.change(person.token, "whatever", NEW, HOME) == RecentSignInRequired()
    again = await rooms.again(person)
    assert await passwords.change(again.token, None, NEW, HOME) is None
    assert await opens(rooms, person.id, [NEW]) == [True]
    assert await passwords.change(again.token, None, "one more phrase", HOME) == BadCredentials()


async def test_a_deleted_account_changes_nothing(rooms: Rooms, passwords: PasswordChange) -> None:
    _, token = await begin(rooms)
    await rooms.delete(token)
    assert await passwords.change(token, PASSWORD, NEW, HOME) == UserIsDeleted()


async def test_a_change_ends_a_recovery_and_a_recovery_the_session_that_changes(
    rooms: Rooms, passwords: PasswordChange
) -> None:
    account, token = await begin(rooms)
    recovery = open_account_recovery(rooms)
    link = await recovery_link(rooms, account)
    assert await passwords.change(token, PASSWORD, NEW, HOME) is None
    assert await recovery.reset(link, PASSWORD) == BadRecovery()
    link = await recovery_link(rooms, account)
    assert await recovery.reset(link, PASSWORD) is None
    assert await passwords.change(token, PASSWORD, NEW, HOME) == BadToken()


async def test_of_many_at_once_one_succeeds(rooms: Rooms, passwords: PasswordChange) -> None:
    account, token = await begin(rooms)
    outcomes: list[object] = []

    async def change(number: int) -> None:
        outcomes.append(await passwords.change(token, PASSWORD, f"{NEW} {number}", HOME))

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(change, number)
    assert outcomes.count(None) == 1
    assert outcomes.count(BadCredentials()) == 19
    assert await opens(rooms, account, [PASSWORD]) == [False]
