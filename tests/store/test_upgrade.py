"""A database that an earlier server has filled, brought to the newest schema: every row is there, and is understood.

fixture/filled_N.sql holds rows of all tables as a server of schema version N wrote them. The files are frozen: what
they hold is on somebody's disk. A new migration comes with a new file.
"""

import itertools
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.account import Account, AccountId, name_key
from regserver.domain.contact import Contact, ContactKey
from regserver.domain.idempotency import Idempotency
from regserver.domain.outcome import IdempotencyConflict, UserIsDeleted
from regserver.domain.room import RoomId, RoomPage
from regserver.domain.secret import hash_secret
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import Session
from regserver.service.keyed_address import key_addresses
from regserver.service.ledger_check import UNSEALED, LedgerBroken, LedgerWhole, verify_ledger
from regserver.service.recovery_service import RecoveryService
from regserver.service.steps_policy import StepsPolicy
from regserver.service.steps_service import StepResult
from regserver.store import migration
from regserver.store.migration import migrations
from regserver.store.sqlite import connect, migrate, open_sqlite
from regserver.store.sqlite.copy import inspect_database
from regserver.store.sqlite.schema import WORDS
from tests.directory import World
from tests.fake import EPOCH, JOURNAL_SEAL, PEPPER, claim_of
from tests.steps import HERE, Steps, email, phone
from tests.store.meeting.room import Door

FIXTURES = Path(__file__).parent / "fixture"
NEWEST = migrations()[-1].number
LATER = 5 * 60_000
"""Milliseconds from the start of the test clock to the moment at which the rows were written."""
CONFIRMED, WAITING = "spm4G7VmSUfOoD6V1vrORcmn", "by6vK111fY0yuOhDRk1XEmSy"
ANN, BOB, CECILE, DAN = AccountId(1), AccountId(2), AccountId(3), AccountId(4)
Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]
Tables = dict[str, Table]


def fill(path: Path, version: int) -> None:
    """Makes a database as a server of that schema version left it."""
    with closing(connect(path)) as connection:
        connection.execute(migration.VERSION_TABLE)
        for step in migrations()[:version]:
            for statement in step.statements(WORDS):
                connection.execute(statement)
            connection.execute(migration.REMEMBER, (step.number, step.name, 0))
        connection.executescript((FIXTURES / f"filled_{version}.sql").read_text("utf-8"))


def tables(path: Path) -> Tables:
    """Every table with its columns and rows, but for what the database keeps for itself."""
    with closing(connect(path, read_only=True)) as connection:
        names = [name for name, _ in schema(connection)]
        return {name: _table(connection, name) for name in names if name != "migration"}


def _table(connection: sqlite3.Connection, name: str, columns: tuple[str, ...] = ()) -> Table:
    columns = columns or tuple(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
    statement = f"SELECT {', '.join(columns)} FROM {name} ORDER BY rowid"  # noqa: S608  (names of the schema)
    return columns, connection.execute(statement).fetchall()


REFERRING = 13
"""The first version whose events refer to posts."""


def _refer_to_posts(found: Tables) -> list[tuple[int, int]]:
    """Takes the content out of the events of posts, as the migration does; returns their numbers and their posts'."""
    if "event" not in found:
        return []
    columns, rows = found["event"]
    changes = [json.loads(row[4] or "{}") for row in rows]
    pairs = zip(rows, changes, strict=True)
    found["event"] = (
        columns,
        [(*row[:4], "" if change.get("type") == "posted" else row[4], *row[5:]) for row, change in pairs],
    )
    return [(row[0], change["post"]) for row, change in zip(rows, changes, strict=True) if "post" in change]


def schema(connection: sqlite3.Connection, kind: str = "table") -> list[tuple[str, str]]:
    statement = "SELECT name, sql FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite%' ORDER BY name"
    return [(name, re.sub(r"\s+", " ", sql or "")) for name, sql in connection.execute(statement, (kind,))]


def test_every_version_has_its_rows() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {f"filled_{n}.sql" for n in range(1, NEWEST + 1)}


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_every_row_is_there(tmp_path: Path, version: int) -> None:
    path = tmp_path / "x.db"
    fill(path, version)
    before = tables(path)
    assert [name for name, (_, rows) in before.items() if not rows] == []
    assert migrate(path, EPOCH) == NEWEST
    with closing(connect(path)) as connection:
        posts = connection.execute("SELECT id, post_id FROM event WHERE post_id IS NOT NULL").fetchall()
        assert posts == _refer_to_posts(before) or version >= REFERRING
        after = {name: _table(connection, name, columns) for name, (columns, _) in before.items()}
        assert after == before
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_the_schema_is_that_of_a_new_database(tmp_path: Path, version: int) -> None:
    fill(tmp_path / "old.db", version)
    found = []
    for name in ("old.db", "new.db"):
        migrate(tmp_path / name, EPOCH)
        with closing(connect(tmp_path / name)) as connection:
            found.append([schema(connection, kind) for kind in ("table", "index", "trigger", "view")])
    assert found[0] == found[1]


@pytest.mark.parametrize("version", [2, 3, 4])
def test_posts_are_numbered(tmp_path: Path, version: int) -> None:
    """Migration 5 rewrites posts that had no numbers: in their room, and among their author's there."""
    path = tmp_path / "x.db"
    fill(path, version)
    migrate(path, EPOCH)
    in_room: dict[int, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
    of_author: dict[tuple[int, int], itertools.count[int]] = defaultdict(lambda: itertools.count(1))
    with closing(connect(path)) as connection:
        rows = connection.execute(
            "SELECT room_id, author_id, ordinal, author_ordinal FROM post ORDER BY id"
        ).fetchall()
        assert connection.execute("SELECT position, at FROM event_cut").fetchall() == [(0, 0)]
    assert len(rows) > 10
    for room, author, ordinal, author_ordinal in rows:
        assert (ordinal, author_ordinal) == (next(in_room[room]), next(of_author[room, author]))


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_a_database_of_a_newer_server_is_refused(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a server that knows only the migrations before its last one."""
    path = tmp_path / "x.db"
    fill(path, version)
    known = migrations()[: version - 1] or [migration.Migration(0, "nothing", "")]
    monkeypatch.setattr(migration, "migrations", lambda: known)
    before = path.read_bytes()
    said = f"at schema version {version}, .* used by a newer regserver; run that one"
    with pytest.raises(StoreFault, match=said):
        migrate(path, EPOCH)
    with pytest.raises(StoreFault, match=said):
        inspect_database(path)
    assert path.read_bytes() == before


# --- what the services make of it
@asynccontextmanager
async def upgraded(folder: Path, version: int) -> AsyncIterator[Store]:
    fill(folder / "x.db", version)
    async with open_sqlite(folder / "x.db") as store:
        yield store


def door_of(store: Store) -> Door:
    door = Door(store)
    door.clock.advance(LATER)
    door.tokens = {name: hash_secret(f"token of {name}") for name in ("ann", "bob", "Cécile", "dan")}
    return door


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
async def test_people_are_known(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        door = door_of(store)
        session = await door.identity.session(door.tokens["Cécile"])
        assert isinstance(session, Session)
        assert session.account == CECILE
        assert await door.identity.session(door.tokens["dan"]) == UserIsDeleted()
        assert isinstance(await door.identity.redeem_ticket(hash_secret("ticket of ann")), Session)
        assert await door.accounts.id_of(door.tokens["bob"], "cÉCILE") == CECILE
        profile = await store.read(lambda transaction: transaction.accounts.profile(AccountId(5)))
        assert profile is not None
        assert profile.last_name == "O'Neil; -- Lovelace"


@pytest.mark.parametrize("version", range(2, NEWEST + 1))
async def test_rooms_are_as_they_were(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        door = door_of(store)
        rooms = await door.rooms.list(door.tokens["ann"])
        assert isinstance(rooms, RoomPage)
        assert [
            (room.room.id, list(room.members), room.room.member_count, room.unread) for room in rooms.rooms
        ] == [
            (1, [ANN, BOB, CECILE], 3, 2),
            (2, [ANN, BOB], 2, 3),
        ]
        newest = rooms.rooms[0].last_post
        assert newest is not None
        assert newest.content == "She has left"
        posted = await door.post("ann", "1", content="after the upgrade")
        assert isinstance(posted, int)
        assert posted > newest.id + 1
        again = await door.rooms.list(door.tokens["bob"])
        assert isinstance(again, RoomPage)
        assert {room.room.id: room.unread for room in again.rooms}[RoomId(1)] == 6


@pytest.mark.parametrize("version", range(2, NEWEST + 1))
async def test_what_was_missed_can_be_read(tmp_path: Path, version: int) -> None:
    """Since the beginning of the log, which a server of schema version 5 had cut off."""
    async with upgraded(tmp_path, version) as store:
        door = door_of(store)
        start = await store.read(lambda transaction: transaction.events.cut())
        assert start.id == (3 if version >= 5 else 0)
        reader = RecoveryService(store, door.admission).reader(CECILE, start)
        page = await reader.next()
        assert page is not None
        assert page.rooms == (1,)
        seen = [event.id for event in page.events]
        assert seen == sorted(seen)
        assert seen[0] == (5 if version >= 5 else 1)
        assert seen[-1] == 23


@pytest.mark.parametrize("version", range(3, NEWEST + 1))
async def test_registrations_go_on_where_they_stood(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        steps = Steps(store, StepsPolicy(), None, EmbeddedLedger(JOURNAL_SEAL))
        steps.clock.advance(LATER)
        contacts: dict[str, Contact] = {str(n): phone(f"+38000000000{n}") for n in (1, 2, 3, 4)}
        contacts |= {"registered": email("someone@example.org"), "waits": email("other@example.org")}
        states = {}
        for name, contact in contacts.items():
            result = await steps.service.state(contact, HERE)
            assert isinstance(result, StepResult)
            states[name] = result.registration.state
        assert states == {
            "1": "verify",
            "2": "setUsername",
            "3": "toBlockChain",
            "4": "registered",
            "registered": "registered",
            "waits": "verifyEmail",
        }
        assert (await steps.row(contacts["1"])).code_tries == 4
        if version < 7:
            assert await verify_ledger(store, JOURNAL_SEAL) == LedgerBroken(UNSEALED)
        await store.write(EmbeddedLedger(JOURNAL_SEAL).seal)  # as a server does at its start
        ledger = await verify_ledger(store, JOURNAL_SEAL)
        assert isinstance(ledger, LedgerWhole)
        assert (ledger.entries, ledger.keyed_from) == (2, 3)
        assert await steps.onboarding.subscribed("reg1mntyyawo", ["red", "black"]) == 1
        signed = await store.read(lambda transaction: transaction.submissions.by_user_id("reg1kaaauram"))
        assert signed is not None
        assert signed.signed.endswith(b"\x00\xff")


@pytest.mark.parametrize("version", range(4, NEWEST + 1))
async def test_the_directory_goes_on(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        world = World(store, servers=("one.example.org", "two.example.org"), reveal_existing=True)
        world.clock.advance(LATER)
        assert (await world.directory.challenge_status(CONFIRMED)).state == "confirmed"
        waiting = await world.directory.challenge_status(WAITING)
        assert (waiting.state, waiting.username) == ("pending", "Waits5")
        rows = await store.read(lambda transaction: transaction.outbox.list(10))
        assert [row.fault for row in rows if row.parked_at is not None] == ["550 5.1.1 no such mailbox"]
        assert [row.attempts for row in rows].count(1) == 1
        mails = await world.mails()
        assert len(mails) == len(rows) > 2
        assert any(WAITING in mail.text for mail in mails)


@pytest.mark.parametrize("version", range(5, NEWEST + 1))
async def test_repeated_requests_are_answered_as_before(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        door = door_of(store)
        key = Idempotency("key-1", b"\x00digest of a post")
        assert await door.post("ann", "2", key) == 14
        assert await door.post("ann", "2", Idempotency("key-1", b"another")) == IdempotencyConflict()
        again = Idempotency("key-2", b"\xffdigest of an invitation")
        assert await door.memberships.invite(door.tokens["ann"], "2", [DAN], again) is None


@pytest.mark.parametrize("version", range(6, NEWEST + 1))
async def test_past_runs_still_teach(tmp_path: Path, version: int) -> None:
    async with upgraded(tmp_path, version) as store:
        runs = await store.read(lambda transaction: transaction.runs.newest("file", 5))
        assert [(run.took_ms, run.marks) for run in runs] == [
            (4000, ((1, 0), (2, 2000))),
            (9000, ((1, 0), (2, 4500))),
        ]


def test_one_person_of_the_source_keeps_one_account(tmp_path: Path) -> None:
    """Before version 9 each spelling of a name could make one: the first that is not deleted stays the person's."""
    path = tmp_path / "x.db"
    fill(path, 8)
    spellings = [("bob1", 7), ("bob2", None), ("bob3", None), ("lone", 7)]
    with closing(connect(path)) as connection:
        for name, deleted_at in spellings:
            subject = "lone" if name == "lone" else "bob"
            connection.execute(
                "INSERT INTO account (username, name_key, password_hash, door, subject, created_at, updated_at,"
                " deleted_at) VALUES (?, ?, 'hash', 'live', ?, 1, 1, ?)",
                (name, name, subject, deleted_at),
            )
    migrate(path, EPOCH)
    with closing(connect(path)) as connection:
        rows = connection.execute(
            "SELECT username, subject, source, password_hash FROM account WHERE name_key IN"
            " ('bob1', 'bob2', 'bob3', 'lone', 'ada') ORDER BY name_key"
        ).fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="subject"):
            connection.execute("UPDATE account SET source = '' WHERE username = 'bob3'")
    sources = {name: re.sub(r"\d+", "N", source) for name, _, source, _ in rows}
    assert sources == {"Ada": "", "bob1": "duplicate:N", "bob2": "", "bob3": "duplicate:N", "lone": ""}
    assert {name: subject for name, subject, _, _ in rows if name.startswith("bob")} == dict.fromkeys(
        ("bob1", "bob2", "bob3"), "bob"
    )


async def owner_of(key: ContactKey, transaction: Transaction) -> Account | None:
    return await transaction.contacts.owner(key)


async def account_named(name: str, transaction: Transaction) -> Account | None:
    return await transaction.accounts.by_name(name_key(name))


@pytest.mark.parametrize("version", range(4, NEWEST + 1))
async def test_a_verified_address_is_its_owner_s(tmp_path: Path, version: int) -> None:
    """What the directory and the steps had verified before version 12; a start that was interrupted goes on."""
    async with upgraded(tmp_path, version) as store:
        await key_addresses(store, PEPPER)
        await key_addresses(store, PEPPER)
        owned = {
            "alice5": claim_of("ALICE5@example.org").key,
            "first-one": PEPPER.contact_key(phone("+380000000004")),
            "second-one": claim_of("someone@example.org").key,
        }
        for name, key in owned.items():
            owner = await store.read(partial(owner_of, key))
            assert owner is not None
            assert owner.username.lower() == name
            assert (owner.email_verified_at is None) == (name == "first-one")
        assert await store.read(lambda transaction: transaction.contacts.unkeyed(1)) == ()


async def test_of_two_accounts_of_one_address_the_first_keeps_it(tmp_path: Path) -> None:
    """The steps did not ask whether the directory's address was theirs; the account that loses it keeps it as a wish."""
    path = tmp_path / "x.db"
    fill(path, 10)
    with closing(connect(path)) as connection:
        connection.execute(
            "INSERT INTO account (username, name_key, email, email_key, door, created_at, updated_at)"
            " VALUES ('late5', 'late5', 'Someone@example.org', 'someone@example.org', 'directory', 1, 1)"
        )
        connection.execute(
            "UPDATE account SET email = 'W@example.org', email_key = 'w@example.org' WHERE username = 'ann'"
        )
    async with open_sqlite(path) as store:
        await key_addresses(store, PEPPER)
        found = {name: await store.read(partial(account_named, name)) for name in ("late5", "ann")}
        assert {name: (each.email, each.verified_email) for name, each in found.items() if each} == {
            "late5": ("Someone@example.org", None),
            "ann": ("W@example.org", None),
        }
