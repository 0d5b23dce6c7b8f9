"""A forgotten password: who gets a link, what it does, once, and what ends with it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.account import name_key
from regserver.domain.guess import CounterKey
from regserver.domain.instant import HOUR
from regserver.domain.link import LINK_LIFE
from regserver.domain.outcome import BadPassword, BadRecovery, BadToken, SecondFactorRequired
from regserver.domain.secret import hash_secret
from regserver.service.account_recovery import AccountRecovery, RecoveryWish
from regserver.service.account_service import AccountDetail
from regserver.service.identity_service import SignedIn
from regserver.service.mail_cap import HOURLY_MAILS
from tests.guess import HOME
from tests.recovery import add_totp, open_account_recovery, recovery_link
from tests.rooms import BASE, Rooms, made, open_rooms

PASSWORD, NEW = "a long password", "quite another phrase"
ADDRESS = "Ann@example.org"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


@pytest.fixture
def recovery(rooms: Rooms) -> AccountRecovery:
    return open_account_recovery(rooms)


async def secret_in_last_mail(rooms: Rooms) -> str:
    (secret,) = set(re.findall(r"regl_[A-Za-z0-9_-]{43}", (await rooms.mails())[-1].text))
    return str(secret)


async def verified(rooms: Rooms, name: str = "ann", email: str = ADDRESS) -> SignedIn:
    signed_in = made(SignedIn, await rooms.sign_up(name, email, PASSWORD))
    assert await rooms.addresses.verify(await secret_in_last_mail(rooms), BASE) == email
    return signed_in


def wish(who: str, language: str = "en") -> RecoveryWish:
    return RecoveryWish(who, language, BASE)


async def is_signed_in(rooms: Rooms, token: str) -> bool:
    outcome = await rooms.accounts.info(hash_secret(token))
    assert isinstance(outcome, AccountDetail | BadToken)
    return isinstance(outcome, AccountDetail)


@pytest.mark.parametrize("who", ["ann", "ANN", ADDRESS, "ann@EXAMPLE.org"])
async def test_a_link_by_name_or_address_sets_a_password(
    rooms: Rooms, recovery: AccountRecovery, who: str
) -> None:
    before = await verified(rooms)
    assert await recovery.serve(wish(who))
    mail = (await rooms.mails())[-1]
    secret = await secret_in_last_mail(rooms)
    assert mail.to == ADDRESS
    assert f"{BASE}/recover?lang=en#{secret}" in mail.text
    for _ in range(2):  # looking uses nothing up
        assert await recovery.look(secret) == "ann"
    after = made(SignedIn, await recovery.finish(secret, NEW, HOME))
    assert after.user_id == before.user_id
    assert await is_signed_in(rooms, after.token)
    assert not await is_signed_in(rooms, before.token)
    told = (await rooms.mails())[-1]
    assert (told.to, told.subject) == (ADDRESS, "Your password at example.org was changed")
    assert await recovery.finish(secret, NEW, HOME) == BadRecovery()
    assert await recovery.look(secret) is None


@pytest.mark.parametrize(
    "who", ["nobody", "nobody@example.org", "wish", "wish@example.org", "", "x" * 9999, "\ud800", "a\x00"]
)
async def test_who_gets_no_mail(rooms: Rooms, recovery: AccountRecovery, who: str) -> None:
    made(SignedIn, await rooms.sign_up("wish", "wish@example.org", PASSWORD))
    count = len(await rooms.mails())
    assert not await recovery.serve(wish(who))
    assert len(await rooms.mails()) == count


async def test_a_deleted_account_gets_none_and_its_links_end(rooms: Rooms, recovery: AccountRecovery) -> None:
    signed_in = await verified(rooms)
    assert await recovery.serve(wish("ann"))
    secret = await secret_in_last_mail(rooms)
    await rooms.delete(hash_secret(signed_in.token))
    assert await recovery.finish(secret, NEW, HOME) == BadRecovery()
    assert not await recovery.serve(wish("ann"))
    assert not await recovery.serve(wish(ADDRESS))


async def test_the_mails_to_an_address_are_bounded(rooms: Rooms, recovery: AccountRecovery) -> None:
    await verified(rooms)  # the sign-up was the first mail
    outcomes = [await recovery.serve(wish("ann")) for _ in range(HOURLY_MAILS + 2)]
    assert outcomes.count(True) == HOURLY_MAILS - 1
    rooms.clock.advance(HOUR)
    assert await recovery.serve(wish("ann"))


async def test_a_link_lasts_for_a_while(rooms: Rooms, recovery: AccountRecovery) -> None:
    await verified(rooms)
    assert await recovery.serve(wish("ann"))
    secret = await secret_in_last_mail(rooms)
    rooms.clock.advance(LINK_LIFE["recover"])
    assert await recovery.look(secret) is None
    assert await recovery.finish(secret, NEW, HOME) == BadRecovery()


@pytest.mark.parametrize("password", ["short", "ann@example.org", "password1234", "x" * 257])
async def test_a_bad_password_uses_nothing_up(rooms: Rooms, recovery: AccountRecovery, password: str) -> None:
    signed_in = await verified(rooms)
    secret = await recovery_link(rooms, signed_in.user_id)
    assert await recovery.finish(secret, password, HOME) == BadPassword()
    assert await recovery.reset(secret, password) == BadPassword()
    assert await is_signed_in(rooms, signed_in.token)
    assert await recovery.reset(secret, NEW) is None
    assert not await is_signed_in(rooms, signed_in.token)


async def test_one_recovery_ends_every_other_link(rooms: Rooms, recovery: AccountRecovery) -> None:
    signed_in = await verified(rooms)
    first, second = [await recovery_link(rooms, signed_in.user_id) for _ in range(2)]
    assert await recovery.reset(first, NEW) is None
    assert await recovery.reset(second, NEW) == BadRecovery()


async def test_of_many_at_once_one_succeeds(rooms: Rooms, recovery: AccountRecovery) -> None:
    signed_in = await verified(rooms)
    secret = await recovery_link(rooms, signed_in.user_id)
    outcomes: list[object] = []

    async def use(number: int) -> None:
        outcomes.append(await recovery.finish(secret, f"{NEW} {number}", HOME))

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(use, number)
    assert outcomes.count(BadRecovery()) == 19


async def test_a_closed_password_opens(rooms: Rooms, recovery: AccountRecovery) -> None:
    signed_in = await verified(rooms)
    counter, now = CounterKey(b"counter"), rooms.clock.now()
    await rooms.store.write(lambda transaction: transaction.guesses.count(counter, signed_in.user_id, now))
    assert await recovery.reset(await recovery_link(rooms, signed_in.user_id), NEW) is None
    assert await rooms.store.read(lambda transaction: transaction.guesses.failures(counter)) is None


async def test_a_second_factor_is_still_asked_for(rooms: Rooms, recovery: AccountRecovery) -> None:
    signed_in = await verified(rooms)
    await add_totp(rooms, signed_in.user_id)
    secret = await recovery_link(rooms, signed_in.user_id)
    assert isinstance(await recovery.finish(secret, NEW, HOME), SecondFactorRequired)
    account = await rooms.store.read(lambda transaction: transaction.accounts.by_name(name_key("ann")))
    assert account is not None
    assert account.password_hash is not None
