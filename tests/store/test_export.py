"""The export in the tables: every table and column is told of or withheld with a reason, and each row is told once, to its person."""

import base64
import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.guess import NetworkHash
from regserver.domain.instant import Instant
from regserver.domain.room_event import Created
from regserver.ports.export_table import Place, Record, RecordPage
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.export_service import MAILS, PAGE, Exporter
from regserver.store.sql.erasure_rows import TRACES
from regserver.store.sql.export_rows import ExportRows
from regserver.store.sql.export_telling import PARTS, TELLINGS
from regserver.store.sqlite import SqliteStore, connect, open_sqlite
from regserver.store.sqlite.connection import SqliteSql
from regserver.web.sign_in.export_wire import EXPORT_PARTS, ExportDocument, write_export
from tests.fake import EPOCH, PEPPER
from tests.rooms import open_rooms
from tests.store.test_erasure import filled
from tests.store.test_upgrade import schema

ACCOUNTS = range(1, 10)
decode = msgspec.json.Decoder(ExportDocument, strict=True).decode


def columns(path: Path) -> dict[str, set[str]]:
    with closing(connect(path, read_only=True)) as connection:
        return {
            table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            for table, _ in schema(connection)
        }


def test_every_table_and_column_is_told_or_withheld_with_a_reason(tmp_path: Path) -> None:
    found = columns(filled(tmp_path))
    assert {telling.table for telling in TELLINGS} == set(found) == {trace.table for trace in TRACES}
    for table, names in found.items():
        mine = [telling for telling in TELLINGS if telling.table == table]
        withheld = {name: why for telling in mine for name, why in telling.withheld.items()}
        assert all(withheld.values()), table
        if "*" in withheld:
            assert [telling.part for telling in mine] == [""], table
            continue
        told = {word for telling in mine for sql in telling.told.values() for word in re.findall(r"\w+", sql)}
        assert names <= told | set(withheld), (table, names - told - set(withheld))
        assert not (set(withheld) - names), table


def test_every_column_that_names_an_account_is_told(tmp_path: Path) -> None:
    """A table with such a column tells its person of the row, or says why not."""
    with closing(connect(filled(tmp_path), read_only=True)) as connection:
        referring = {
            (table, row[3])
            for table, _ in schema(connection)
            for row in connection.execute(f"PRAGMA foreign_key_list({table})")
            if row[2] == "account"
        }
    assert len(referring) > 15
    for table, column in referring:
        mine = [telling for telling in TELLINGS if telling.table == table]
        asked = any(f"{column} = {{account}}" in telling.rows for telling in mine)
        assert asked or any(telling.withheld.get(column) or telling.withheld.get("*") for telling in mine), (
            table,
            column,
        )


def test_the_document_has_the_parts_of_the_tables() -> None:
    assert {part.name for part in EXPORT_PARTS} == {*PARTS, MAILS}
    for part in EXPORT_PARTS:
        if part.name != MAILS:
            assert set(part.kind.__struct_fields__) == set(PARTS[part.name].told), part.name
        timed = {name for name in part.kind.__struct_fields__ if name.endswith("_at")}
        assert part.times == timed, part.name


SMALL = {"ticket"}
"""Tables that may be searched through: what is in them lives for seconds."""


class Explained(SqliteSql):
    """Notes which tables a statement searches through from end to end."""

    scanned: ClassVar[set[str]] = set()

    async def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        plan = await super().rows(f"EXPLAIN QUERY PLAN {statement}", *parameters)
        self.scanned.update({word for row in plan for word in re.findall(r"^SCAN (\w+)", row[-1])})
        return await super().rows(statement, *parameters)


async def test_no_table_is_searched_through(tmp_path: Path) -> None:
    with closing(connect(filled(tmp_path), read_only=True)) as connection:
        rows = ExportRows(Explained(connection))
        for part in PARTS:
            for account in ACCOUNTS:
                await rows.page(part, AccountId(account), None, PAGE)
    assert Explained.scanned - SMALL == set()


async def text_of(store: SqliteStore, account: int, rooms: Any) -> bytes:
    exporter = Exporter(AccountId(account), store.read, rooms.outbox, PEPPER)
    return b"".join([piece async for piece in write_export(exporter, EPOCH)])


@pytest.fixture
async def texts(tmp_path: Path) -> dict[int, bytes]:
    """The document of each account of the filled database."""
    (tmp_path / "rooms").mkdir()
    path = filled(tmp_path)
    async with open_rooms(tmp_path / "rooms") as rooms, open_sqlite(path) as store:
        return {account: await text_of(store, account, rooms) for account in ACCOUNTS}


async def test_each_row_is_told_once_to_its_person(tmp_path: Path, texts: dict[int, bytes]) -> None:
    documents = [decode(text) for text in texts.values()]
    told = {part.name: [getattr(document, part.name) for document in documents] for part in EXPORT_PARTS}
    with closing(connect(tmp_path / "x.db", read_only=True)) as connection:
        for part in EXPORT_PARTS:
            if part.name == MAILS:
                continue
            where = {
                "source": "WHERE source IS NOT NULL",
                "directory_sign_ups": "WHERE account_id IS NOT NULL",
            }
            where |= {
                "guesses": "WHERE account_id IS NOT NULL",
                "audit": "WHERE account_id IS NOT NULL",
                "registrations": "WHERE user_id IN (SELECT ledger_name FROM account)",
            }
            table = PARTS[part.name].table
            statement = f"SELECT count(*) FROM {table} {where.get(part.name, '')}"  # noqa: S608  (names of the schema)
            (rows,) = connection.execute(statement).fetchone()
            found = told[part.name]
            count = sum(map(len, found)) if part.is_list else sum(each is not None for each in found)
            assert rows == count > 0, part.name


def hashes(path: Path) -> Iterator[bytes]:
    """Every value of the database that is bytes, and the hashes of passwords."""
    with closing(connect(path, read_only=True)) as connection:
        for table, _ in schema(connection):
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608
                yield from (value for value in row if isinstance(value, bytes) and len(value) > 8)
                yield from (
                    value.encode() for value in row if isinstance(value, str) and value.startswith("$argon2")
                )


def spellings(value: bytes) -> set[bytes]:
    encoded = {base64.b64encode(value), base64.urlsafe_b64encode(value)}
    return {
        value,
        value.hex().encode(),
        value.hex().upper().encode(),
        *(each.rstrip(b"=") for each in encoded),
    }


async def test_no_hash_and_no_secret_is_in_it(tmp_path: Path, texts: dict[int, bytes]) -> None:
    values = list(hashes(tmp_path / "x.db"))
    assert len(values) > 60
    whole = b"".join(texts.values())
    assert [value for value in values for spelling in spellings(value) if spelling in whole] == []


async def test_what_it_says(texts: dict[int, bytes]) -> None:
    ann, ada, first = (decode(texts[number]) for number in (1, 5, 6))
    assert (ann.format, ann.version, ann.exported_at) == (
        "regserver account export",
        1,
        "2020-09-13T12:26:40Z",
    )
    assert (ann.account.username, ann.account.has_password) == ("ann", True)
    assert [session.name for session in ann.sessions] == ["Küche", None]
    assert [post.content for post in ann.posts][1] == 'it\'s; -- "quoted"'
    assert [post.room_id for post in ann.posts] == [1, 1, 1, 2, 2, 2]
    assert ann.authenticator_app is not None
    assert ann.authenticator_app.recovery_codes == 2
    assert ann.passkeys[0].name == "Телефон"
    assert [(offer.user_id, offer.room_id) for offer in ann.offers_made] == [(3, 2)]
    assert ann.allowance is not None
    assert ann.allowance.day_at == "2020-09-13T00:00:00Z"
    assert [(stay.room_id, stay.is_member, stay.seen_post_id) for stay in ann.rooms] == [
        (1, True, 5),
        (2, True, 0),
    ]
    assert ada.source is not None
    assert (ada.source.kind, ada.source.subject) == ("file", "ada@source")
    assert ada.profile is not None
    assert ada.profile.last_name == "O'Neil; -- Lovelace"
    assert [reward.community for reward in first.rewards] == ["blue", "green", "red"]
    assert decode(texts[9]).account.username == "deleted user"


async def test_a_long_part_is_read_in_pages(tmp_path: Path) -> None:
    """Posts of one author amid those of another, in many rooms; no unit of work reads more than a page of them."""
    async with open_rooms(tmp_path) as rooms:
        ann, bob = await rooms.person("ann"), await rooms.person("bob")
        wanted: list[tuple[int, str]] = []

        async def fill(transaction: Any) -> None:
            for number in range(2500):
                room = await transaction.rooms.add(None, EPOCH)
                count = {0: 3 * PAGE, 1: PAGE, 2000: 1, 2499: 2}.get(number, 0)
                for place in range(count):
                    for author in (bob.id, ann.id):
                        await transaction.posts.add(room, author, f"{author}: {place} 🫖", EPOCH)
                    wanted.append((int(room), f"{ann.id}: {place} 🫖"))

        await rooms.store.write(fill)
        sizes: list[int] = []

        async def read(work: Any) -> Any:
            page = await rooms.store.read(work)
            sizes.append(len(page.records))
            return page

        pieces = [
            piece
            async for piece in write_export(Exporter(ann.id, read, rooms.outbox, PEPPER), Instant(EPOCH))
        ]
        found = decode(b"".join(pieces)).posts
        assert [(post.room_id, post.content) for post in found] == wanted
        assert max(sizes) == PAGE
        assert max(map(len, pieces)) < 100_000


async def test_every_part_is_read_in_pages_on_every_store(any_store: Store) -> None:
    """Of rooms and posts there are several pages of one; the others are asked for behind a place that the first page gave."""

    async def fill(transaction: Transaction) -> AccountId:
        wanted = NewAccount(username="ann", origin="rooms", created_at=EPOCH)
        account = await transaction.accounts.add(wanted)
        for number in range(3):
            room = await transaction.rooms.add(f"Raum {number} 🍲", EPOCH)
            event = await transaction.events.append(room, account, Created(()), EPOCH)
            await transaction.rooms.join(event, (account,))
            await transaction.posts.add(room, account, f"{number} 🫖", EPOCH)
        await transaction.networks.note(account, NetworkHash(b"n" * 32), "ru", EPOCH)
        return account

    account = await any_store.write(fill)
    found: dict[str, list[Record]] = {}
    for part in PARTS:
        after, found[part] = None, []
        while True:
            page = await any_store.read(partial(read_page, part, account, after))
            found[part] += page.records
            if (after := page.after) is None:
                break
    assert [(each["content"], each["created_at"]) for each in found["posts"]] == [
        (f"{number} 🫖", EPOCH) for number in range(3)
    ]
    assert [each["name"] for each in found["rooms"]] == [f"Raum {number} 🍲" for number in range(3)]
    assert [bool(each["is_member"]) for each in found["rooms"]] == [True] * 3
    assert [each["language"] for each in found["networks"]] == ["ru"]
    assert (found["account"][0]["username"], bool(found["account"][0]["has_password"])) == ("ann", False)


async def read_page(
    part: str, account: AccountId, after: Place | None, transaction: Transaction
) -> RecordPage:
    return await transaction.exports.page(part, account, after, 1)
