"""Statements, pipelines, streams, COPY and notifications."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import trio

from regserver.store.postgres.driver import (
    Begin,
    ConnectionLost,
    PgConnection,
    StatementFault,
    UniqueViolation,
    pg_wire,
)
from tests.store.postgres.driver.moment import until_running

ADD = "INSERT INTO item (name, small) VALUES ($1, $2)"
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement = $1"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", -(2**63)),
        ("integer", 2**31 - 1),
        ("smallint", -1),
        ("text", "a'b\\c % $1 é 😀"),
        ("text", ""),
        ("bytea", bytes(range(256))),
        ("boolean", True),
        ("double precision", math.pi),
        ("numeric", Decimal("1.50")),
        ("uuid", UUID(int=5)),
        ("timestamptz", datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
        ("bigint[]", [1, 2**40]),
        ("text[]", ["a", 'b,"c']),
        ("text", None),
    ],
)
async def test_values_come_back(connection: PgConnection, kind: str, value: Any) -> None:
    for _ in range(3):  # by itself, prepared, and found
        assert await connection.value(f"SELECT $1::{kind}", value) == value


async def test_what_each_call_returns(connection: PgConnection) -> None:
    assert await connection.run(ADD, "a", 1) == 1
    assert await connection.value(f"{ADD} RETURNING id", "b", 2) == 2
    assert await connection.row("SELECT name, small FROM item WHERE id = $1", 2) == ("b", 2)
    assert await connection.row("SELECT name FROM item WHERE id = $1", 3) is None
    assert await connection.value("SELECT name FROM item WHERE id = $1", 3) is None
    assert await connection.rows("SELECT name FROM item ORDER BY id") == [("a",), ("b",)]
    assert await connection.run("UPDATE item SET small = 5") == 2
    assert await connection.rows("UPDATE item SET small = 5") == []
    assert await connection.run("CREATE TABLE more (id bigint)") == 0


async def test_a_percent_sign_is_itself(connection: PgConnection) -> None:
    assert await connection.value("SELECT 'a%s%%' LIKE 'a%' AND 7 % 4 = $1", 3)


async def test_one_text_is_prepared_once(connection: PgConnection) -> None:
    for value in (1, 2**20, 2**40, None, -5):
        await connection.run(ADD, "a", value if value is None or value < 2**31 else None)
        await connection.value("SELECT $1::bigint", value)
    assert await connection.value(PREPARED, ADD) == 1
    assert await connection.value(PREPARED, "SELECT $1::bigint") == 1


async def test_a_null_first_makes_no_second_one(connection: PgConnection) -> None:
    statement = "SELECT count(*) FROM item WHERE small = $1 AND name = $2 AND data = $3"
    for values in [(None, None, None), (1, "a", b"\0"), (None, "b", None), (70000, None, b"")]:
        await connection.value(statement, *values)
    assert await connection.value(PREPARED, statement) == 1


async def test_another_type_gets_a_statement_of_its_own(connection: PgConnection) -> None:
    for value in (1, 2, 1.5, 2.5, 3):
        assert await connection.value("SELECT $1 * 2", value) == value * 2
    assert await connection.value(PREPARED, "SELECT $1 * 2") == 2


async def test_a_text_is_not_prepared_until_it_is_run_again(connection: PgConnection) -> None:
    await connection.value("SELECT 1")
    assert await connection.value(PREPARED, "SELECT 1") == 0
    await connection.value("SELECT 1")
    assert await connection.value("SELECT 1") == 1
    assert await connection.value(PREPARED, "SELECT 1") == 1


async def test_those_that_were_not_used_for_long_are_closed(connection: PgConnection) -> None:
    for _ in range(2):
        for number in range(pg_wire.PREPARED_STATEMENTS):
            await connection.value(f"SELECT {number}")
    many = await connection.value("SELECT count(*) FROM pg_prepared_statements")
    for number in range(50):
        assert await connection.value(f"SELECT 'other {number}'") == f"other {number}"
    assert await connection.value("SELECT count(*) FROM pg_prepared_statements") <= many - 40
    assert await connection.value("SELECT 3") == 3


async def test_a_statement_that_cannot_be_prepared_is_not_taken_for_one(connection: PgConnection) -> None:
    for _ in range(4):
        with pytest.raises(StatementFault, match=r'relation "later" does not exist \(42P01\)'):
            await connection.value("SELECT count(*) FROM later")
    await connection.script("CREATE TABLE later ()")
    for _ in range(3):
        assert await connection.value("SELECT count(*) FROM later") == 0


async def test_nul_in_a_text_is_refused_before_anything_is_sent(connection: PgConnection) -> None:
    async with connection.transaction():
        await connection.run(ADD, "before", 1)
        with pytest.raises(StatementFault, match="NUL"):
            await connection.run(ADD, "a\0b", 1)
        # The server would have failed the transaction.
        assert await connection.value("SELECT count(*) FROM item") == 1
    assert await connection.value("SELECT count(*) FROM item") == 1


@pytest.mark.parametrize("value", [object(), 2**63, "\ud800"])
async def test_values_that_cannot_be_sent(connection: PgConnection, value: object) -> None:
    with pytest.raises(StatementFault):
        await connection.value("SELECT $1::text", value)
    assert await connection.value("SELECT 1") == 1


async def test_fifty_megabytes(connection: PgConnection) -> None:
    text = "0123456789abcdef" * (50 * 2**16)
    assert await connection.value("SELECT $1::text", text) == text
    assert await connection.value("SELECT length($1::bytea)", text.encode()) == len(text)


async def test_a_hundred_thousand_rows(connection: PgConnection) -> None:
    rows = await connection.rows("SELECT n, n::text FROM generate_series(1, 100000) AS n")
    assert rows == [(n, str(n)) for n in range(1, 100_001)]


async def test_two_tasks_cannot_share_a_connection(connection: PgConnection, nursery: trio.Nursery) -> None:
    nursery.start_soon(connection.value, "SELECT pg_sleep(60)")
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(StatementFault, match="another task is using this connection"):
        await connection.value("SELECT 1")
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("words", ["COPY item TO STDOUT", "COPY item FROM STDIN"])
async def test_copy_as_a_statement_is_a_mistake(connection: PgConnection, words: str) -> None:
    with pytest.raises((StatementFault, ConnectionLost)):
        await connection.run(words)
    assert connection.closed  # it is out of step


async def test_a_script_has_several_statements(connection: PgConnection) -> None:
    await connection.script("CREATE TABLE a (id bigint); INSERT INTO a VALUES (1), (2);")
    assert await connection.value("SELECT count(*) FROM a") == 2
    with pytest.raises(StatementFault, match="42601"):
        await connection.value("SELECT 1; SELECT 2")


# --- pipelines
async def test_a_pipeline_answers_each(connection: PgConnection) -> None:
    for _ in range(3):
        added, found, none = await connection.pipeline(
            [
                ("INSERT INTO item (name) VALUES ($1), ($2) RETURNING id", ("a", "b")),
                ("SELECT count(*), $1::text FROM item", ("x",)),
                ("SELECT 1 WHERE false", ()),
            ]
        )
        assert added.count == 2
        assert len(added.rows()) == 2
        assert found.row() is not None
        assert none.row() is None
    assert await connection.pipeline([]) == []
    assert connection.at_rest


async def test_a_pipeline_that_fails_has_done_nothing(connection: PgConnection) -> None:
    wrong = [(ADD, ("a", 1)), ("SELECT 1 / $1::int", (0,)), (ADD, ("b", 1))]
    for _ in range(3):
        with pytest.raises(StatementFault, match="DivisionByZero"):
            await connection.pipeline(wrong)
        assert connection.at_rest
        assert await connection.value("SELECT count(*) FROM item") == 0


async def test_many_are_all_run_or_none(connection: PgConnection) -> None:
    await connection.run_many("INSERT INTO child (name) VALUES ($1)", [(str(n),) for n in range(5000)])
    assert await connection.value("SELECT count(*) FROM child") == 5000
    with pytest.raises(UniqueViolation):
        await connection.run_many("INSERT INTO child (name) VALUES ($1)", [("new",), ("7",)])
    assert await connection.value("SELECT count(*) FROM child") == 5000


async def test_a_pipeline_larger_than_all_buffers(connection: PgConnection) -> None:
    """Both sides would wait for each other if answers were not read while statements are sent."""
    answers = await connection.pipeline([("SELECT $1::text", ("x" * 100_000,))] * 300)
    assert sum(len(answer.rows()[0][0]) for answer in answers) == 30_000_000


# --- streams
async def test_a_stream_is_read_to_its_end(connection: PgConnection) -> None:
    async with connection.stream("SELECT n FROM generate_series(1, $1::int) AS n", 100_000) as rows:
        assert [row[0] async for row in rows] == list(range(1, 100_001))
    assert await connection.value("SELECT 1") == 1


@pytest.mark.parametrize("size", [1, 1000])
async def test_a_stream_that_is_left_is_stopped(connection: PgConnection, size: int) -> None:
    statement = "SELECT generate_series(1, 100000000), repeat('x', 1000)"
    async with connection.stream(statement, size=size) as rows:
        async for row in rows:
            if row[0] == 2500:
                break
    assert connection.at_rest
    assert await connection.value("SELECT 1") == 1


async def test_a_stream_that_fails_on_its_way(connection: PgConnection) -> None:
    seen = []
    with pytest.raises(StatementFault, match="DivisionByZero"):
        async with connection.stream("SELECT 1 / (500 - n) FROM generate_series(1, 1000) AS n") as rows:
            async for row in rows:
                seen.append(row)  # noqa: PERF401  (those before the fault)
    assert 300 < len(seen) < 500
    assert await connection.value("SELECT 1") == 1


async def test_a_stream_in_a_transaction(connection: PgConnection) -> None:
    async with connection.transaction(Begin("REPEATABLE READ", read_only=True)):
        async with connection.stream("SELECT n FROM generate_series(1, 10) AS n") as rows:
            assert len([row async for row in rows]) == 10
        assert not connection.at_rest
    assert connection.at_rest


# --- COPY
async def test_copy_in_and_out(connection: PgConnection) -> None:
    async with connection.copy("COPY item (name, small) FROM STDIN") as copy:
        for number in range(10_000):
            await copy.write_row((f"name {number}", number))
    assert await connection.value("SELECT sum(small) FROM item") == sum(range(10_000))
    async with connection.copy("COPY (SELECT small FROM item ORDER BY id) TO STDOUT") as copy:
        assert [int(row[0]) async for row in copy.rows()] == list(range(10_000))


async def test_a_copy_that_fails_leaves_nothing(connection: PgConnection) -> None:
    with pytest.raises(RuntimeError, match="in between"):
        async with connection.copy("COPY item (name) FROM STDIN") as copy:
            await copy.write_row(("a",))
            raise RuntimeError("in between")
    assert await connection.value("SELECT count(*) FROM item") == 0
    with pytest.raises(StatementFault, match="22P02"):
        async with connection.copy("COPY item (small) FROM STDIN") as copy:
            await copy.write("not a number\n")
    assert await connection.value("SELECT count(*) FROM item") == 0


async def test_a_copy_that_is_not_read_to_its_end(connection: PgConnection) -> None:
    async with connection.copy("COPY (SELECT generate_series(1, 1000000)) TO STDOUT") as copy:
        await copy.read()
    assert connection.closed or await connection.value("SELECT 1") == 1


async def test_a_long_copy_lets_others_run(connection: PgConnection, nursery: trio.Nursery) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    nursery.start_soon(count)
    async with connection.copy("COPY item (name) FROM STDIN") as copy:
        for _ in range(20_000):
            await copy.write_row(("a",))
    assert turns > 5
    nursery.cancel_scope.cancel()


# --- notifications
async def test_notifications(connection: PgConnection, other: PgConnection) -> None:
    await connection.listen('a "channel"')
    assert await connection.notifications(0.05) == []
    await other.script("SELECT pg_notify('a \"channel\"', 'one'), pg_notify('a \"channel\"', 'two')")
    found = await connection.notifications(10)
    while len(found) < 2:
        found += await connection.notifications(10)
    assert [(each.channel, each.payload) for each in found] == [
        ('a "channel"', "one"),
        ('a "channel"', "two"),
    ]
    assert await connection.value("SELECT 1") == 1


async def test_waiting_for_notifications_is_cancelled(connection: PgConnection, other: PgConnection) -> None:
    await connection.listen("channel")
    with trio.move_on_after(0.05) as scope:
        await connection.notifications()
    assert scope.cancelled_caught
    await other.script("NOTIFY channel, 'later'")
    assert [each.payload for each in await connection.notifications(10)] == ["later"]


async def test_the_end_of_the_connection_ends_the_waiting(
    connection: PgConnection, other: PgConnection
) -> None:
    await connection.listen("channel")
    pid = connection.raw.pgconn.backend_pid
    await until_running(other, "LISTEN", "idle")
    await other.run("SELECT pg_terminate_backend($1::int)", pid)
    with pytest.raises(Exception, match=r"terminating connection|closed"):
        await connection.notifications(10)
    assert connection.closed
