"""Passwords at the doors: Unicode forms of old and new hashes, common ones, one's own name."""

import unicodedata
from pathlib import Path

import argon2
import pytest

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.source.roster import RosterSource
from regserver.adapters.source.roster_file import Person
from regserver.domain.account import NewAccount, name_key
from regserver.domain.directory import InvalidData, SignUpFields
from regserver.domain.outcome import BadCredentials, BadPassword
from regserver.ports.password_hasher import PasswordMatch
from regserver.ports.source import Accepted, Rejected
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.identity_service import SignedIn
from tests.directory import BASE, world
from tests.live_world import world as live_world
from tests.rooms import open_rooms

NFC = "p\u00e4ssw\u00f6rter-lang"
NFD = unicodedata.normalize("NFD", NFC)
HASHER = Argon2Hasher(time_cost=1, memory=1 << 16, parallelism=1, max_memory=1 << 20)
AS_TYPED = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Hashes the bytes as they come, as earlier versions did."""


@pytest.mark.parametrize("typed", [NFC, NFD])
async def test_new_hashes_know_one_form(typed: str) -> None:
    encoded = await HASHER.hash(typed)
    for again in (NFC, NFD):
        assert await HASHER.verify(again, encoded) is PasswordMatch.RIGHT
    assert await HASHER.verify(NFC + "x", encoded) is PasswordMatch.WRONG
    assert await HASHER.verify(NFC, None) is PasswordMatch.WRONG


@pytest.mark.parametrize("typed", [NFC, NFD])
async def test_hashes_of_another_form_still_match_and_are_renewed(tmp_path: Path, typed: str) -> None:
    old = AS_TYPED.hash(NFD)
    assert await HASHER.verify(typed, old) is PasswordMatch.OUTDATED
    async with live_world(tmp_path) as here:
        new = NewAccount(username="ada", origin="rooms", created_at=here.clock.now(), password_hash=old)
        await here.store.write(lambda transaction: add_account(transaction, new))
        assert isinstance(await here.sign_in("ada", typed), SignedIn)

        async def kept(transaction: Transaction) -> str | None:
            account = await transaction.accounts.by_name(name_key("ada"))
            return account.password_hash if account else None

        renewed = await here.store.read(kept)
        assert renewed is not None
        assert AS_TYPED.verify(renewed, NFC)


async def test_a_roster_knows_both_forms() -> None:
    people = (
        Person(username="plain", password=NFC, first_name="A", last_name="B"),
        Person(username="old", password_hash=AS_TYPED.hash(NFD), first_name="A", last_name="B"),
    )
    source = RosterSource(people, HASHER)
    for name in ("plain", "old"):
        for typed in (NFC, NFD):
            assert isinstance(await source.verify(name, typed), Accepted)
        assert await source.verify(name, "wrong") == Rejected()


@pytest.mark.parametrize("password", ["password1", "PASSWORD1", "Jennifer", "ann-of-york", "ANN@example.org"])
async def test_the_rooms_refuse_what_is_easily_guessed(tmp_path: Path, password: str) -> None:
    async with open_rooms(tmp_path) as rooms:
        sign_up = rooms.sign_up
        assert await sign_up("ann-of-york", "ann@example.org", password) == BadPassword()
        assert isinstance(await sign_up("ann-of-york", "ann@example.org", password + " or so"), SignedIn)


@pytest.mark.parametrize("password", ["123456", "Dragon", "Alice55", "alice@example.org"])
async def test_the_directory_refuses_what_is_easily_guessed(tmp_path: Path, password: str) -> None:
    async with world(tmp_path) as here:
        parsed = here.directory.parse(SignUpFields("alice55", password, "alice@example.org", "en"))
        assert await here.directory.init(parsed, BASE) == InvalidData(("bad_password",))
        assert await here.directory.init_trusted(parsed) == InvalidData(("bad_password",))
        assert await here.mails() == []


async def test_a_weak_password_of_old_still_signs_in(tmp_path: Path) -> None:
    async with live_world(tmp_path) as here:
        new = NewAccount(
            username="carl",
            origin="rooms",
            created_at=here.clock.now(),
            password_hash=AS_TYPED.hash("123456"),
        )
        await here.store.write(lambda transaction: add_account(transaction, new))
        assert isinstance(await here.sign_in("carl", "123456"), SignedIn)
        assert await here.sign_in("carl", "1234567") == BadCredentials()


async def test_every_character_of_a_long_password_counts() -> None:
    """Some hashes read 72 bytes of name and password and no more."""
    long = "x" * 255
    encoded = await HASHER.hash(long + "y")
    assert await HASHER.verify(long + "y", encoded)
    assert not await HASHER.verify(long + "z", encoded)
    assert not await HASHER.verify(long, encoded)
