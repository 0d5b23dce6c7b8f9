"""Transactions, and what is known of their outcome."""

import pytest
import trio

from regserver.store.postgres.driver import (
    Begin,
    CommitTimeout,
    ConnectionLost,
    ConstraintViolation,
    DatabaseFault,
    ForeignKeyViolation,
    OutcomeUnknown,
    PgConnection,
    StatementFault,
    TransactionConflict,
    connect,
    pg_transaction,
)
from regserver.store.postgres.driver.psycopg_hook import trio_connection
from tests.store.postgres.driver.cutter import Cutter, Mode
from tests.store.postgres.driver.moment import until, until_it, until_running

COUNT = "SELECT count(*) FROM item"
ADD = "INSERT INTO item (name) VALUES ($1)"
READ_ONLY = Begin("REPEATABLE READ", read_only=True)


async def test_it_is_committed_at_the_end(connection: PgConnection, other: PgConnection) -> None:
    async with connection.transaction():
        await connection.run(ADD, "a")
        assert await other.value(COUNT) == 0
    assert await other.value(COUNT) == 1
    assert connection.at_rest


async def test_an_exception_rolls_it_back(connection: PgConnection) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        async with connection.transaction():
            await connection.run(ADD, "a")
            raise RuntimeError("mine")
    assert connection.at_rest
    assert await connection.value(COUNT) == 0


async def test_nothing_in_it_sends_nothing(connection: PgConnection, cutter: Cutter, cut_place: str) -> None:
    async with await connect(cut_place) as cut:
        cutter.mode = Mode.STALL
        async with cut.transaction():
            pass
        assert cut.at_rest


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
async def test_how_it_begins(connection: PgConnection, level: pg_transaction.Isolation) -> None:
    async with connection.transaction(Begin(level, read_only=True)):
        assert await connection.value("SHOW transaction_isolation") == level.lower()
        assert await connection.value("SHOW transaction_read_only") == "on"
    async with connection.transaction():
        assert await connection.value("SHOW transaction_read_only") == "off"


async def test_a_write_in_a_transaction_that_only_reads_is_a_mistake(connection: PgConnection) -> None:
    with pytest.raises(StatementFault, match="read-only transaction"):
        async with connection.transaction(READ_ONLY):
            await connection.run(ADD, "a")
    assert await connection.run(ADD, "a") == 1


async def test_a_savepoint_is_rolled_back_by_itself(connection: PgConnection) -> None:
    async with connection.transaction():
        await connection.run(ADD, "outer")
        with pytest.raises(StatementFault, match="DivisionByZero"):
            async with connection.transaction():
                await connection.run(ADD, "inner")
                await connection.value("SELECT 1 / 0")
        async with connection.transaction():
            await connection.run(ADD, "second")
            async with connection.transaction():
                await connection.run(ADD, "third")
    names = await connection.rows("SELECT name FROM item ORDER BY id")
    assert names == [("outer",), ("second",), ("third",)]


async def test_a_savepoint_alone(connection: PgConnection) -> None:
    async with connection.transaction(), connection.transaction():
        await connection.run(ADD, "a")
    assert await connection.value(COUNT) == 1


async def test_a_fault_that_is_passed_over_is_told_at_the_end(connection: PgConnection) -> None:
    """The server answers COMMIT with ROLLBACK then, which is no error of its own."""
    with pytest.raises(StatementFault, match="had failed, so it was rolled back"):
        async with connection.transaction():
            await connection.run(ADD, "a")
            with pytest.raises(StatementFault):
                await connection.value("SELECT 1 / 0")
    assert connection.at_rest
    assert await connection.value(COUNT) == 0


async def test_a_begin_that_fails(connection: PgConnection) -> None:
    with pytest.raises(StatementFault, match="syntax error"):
        async with connection.transaction(Begin("WRONG")):  # type: ignore[arg-type]
            await connection.run(ADD, "a")
    assert connection.at_rest
    assert await connection.value(COUNT) == 0


async def test_one_that_is_open_already_by_hand(connection: PgConnection) -> None:
    await connection.script("BEGIN")
    with pytest.raises(StatementFault, match="in use"):
        async with connection.transaction():
            pass
    await connection.script("ROLLBACK")
    async with connection.transaction():
        assert await connection.run(ADD, "a") == 1


# --- the end together with statements
async def test_the_end_in_one_pipeline(connection: PgConnection, other: PgConnection) -> None:
    for round_ in range(3):
        async with connection.transaction() as transaction:
            await connection.run(ADD, "a")
            added, count = await transaction.commit_after(
                [("INSERT INTO item (name) VALUES ($1) RETURNING id", ("b",)), (COUNT, ())]
            )
        assert added.count == 1
        assert count.row() == (2 * round_ + 2,)
        assert await other.value(COUNT) == 2 * round_ + 2
        assert connection.at_rest


async def test_all_of_it_in_one_pipeline(connection: PgConnection) -> None:
    async with connection.transaction() as transaction:
        await transaction.commit_after([(ADD, ("a",))])
    assert await connection.value(COUNT) == 1


async def test_a_statement_of_the_end_fails(connection: PgConnection) -> None:
    with pytest.raises(StatementFault, match="DivisionByZero"):
        async with connection.transaction() as transaction:
            await connection.run(ADD, "a")
            await transaction.commit_after([(ADD, ("b",)), ("SELECT 1 / 0", ())])
    assert connection.at_rest
    assert await connection.value(COUNT) == 0


async def test_a_savepoint_has_no_such_end(connection: PgConnection) -> None:
    async with connection.transaction():
        with pytest.raises(StatementFault, match="a savepoint cannot be committed"):
            async with connection.transaction() as inner:
                await inner.commit_after([(ADD, ("a",))])
        await connection.run(ADD, "b")
    assert await connection.value(COUNT) == 1


# --- faults of the end
async def test_a_deferred_constraint_fails_the_end(connection: PgConnection) -> None:
    with pytest.raises(ForeignKeyViolation) as caught:
        async with connection.transaction():
            await connection.script("SET CONSTRAINTS ALL DEFERRED")
            await connection.run("INSERT INTO child (parent) VALUES (5)")
    assert caught.value.constraint == "child_parent_fkey"
    assert connection.at_rest
    assert await connection.value("SELECT count(*) FROM child") == 0


async def test_two_that_cannot_both_be(connection: PgConnection, other: PgConnection) -> None:
    serializable = Begin("SERIALIZABLE")
    with pytest.raises(TransactionConflict):
        async with connection.transaction(serializable), other.transaction(serializable):
            for each in (connection, other):
                await each.value(COUNT)
            for each in (connection, other):
                await each.run(ADD, "a")
    assert connection.at_rest
    assert other.at_rest


async def test_a_deadlock_has_one_victim(connection: PgConnection, other: PgConnection) -> None:
    await connection.script("INSERT INTO item (name) VALUES ('a'), ('b')")
    met: list[DatabaseFault] = []

    async def lock(each: PgConnection, first: int, second: int) -> None:
        try:
            async with each.transaction():
                await each.value("SELECT 1 FROM item WHERE id = $1 FOR UPDATE", first)
                barrier.append(first)
                await until(lambda: len(barrier) == 2)
                await each.value("SELECT 1 FROM item WHERE id = $1 FOR UPDATE", second)
        except TransactionConflict as fault:
            met.append(fault)

    barrier: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lock, connection, 1, 2)
        nursery.start_soon(lock, other, 2, 1)
    assert [fault.sqlstate for fault in met] == ["40P01"]


async def test_lost_during_commit_is_an_unknown_outcome(
    connection: PgConnection, cutter: Cutter, cut_place: str
) -> None:
    async with await connect(cut_place, sslmode="disable") as cut:
        with pytest.raises(OutcomeUnknown, match="may have happened"):
            async with cut.transaction():
                await cut.run(ADD, "a")
                cutter.cut_at = b"COMMIT"
        assert cut.closed
    # This time it has.
    assert await connection.value(COUNT) == 1


async def test_lost_during_the_end_in_one_pipeline(
    connection: PgConnection, cutter: Cutter, cut_place: str
) -> None:
    async with await connect(cut_place, sslmode="disable") as cut:
        with pytest.raises(OutcomeUnknown):
            async with cut.transaction() as transaction:
                await cut.run(ADD, "a")
                cutter.cut_at = b"COMMIT"
                await transaction.commit_after([(ADD, ("b",))])
    assert await connection.value(COUNT) == 2


async def test_lost_before_commit_is_a_rollback(
    connection: PgConnection, cutter: Cutter, cut_place: str
) -> None:
    async with await connect(cut_place) as cut:
        with pytest.raises(ConnectionLost):
            async with cut.transaction():
                await cut.run(ADD, "a")
                cutter.reset()
                with pytest.raises(ConnectionLost):
                    await cut.value("SELECT 1")
    assert await connection.value(COUNT) == 0


async def test_lost_at_the_end_of_reading_is_no_unknown_outcome(cutter: Cutter, cut_place: str) -> None:
    async with await connect(cut_place) as cut:
        with pytest.raises(ConnectionLost):
            async with cut.transaction(READ_ONLY):
                await cut.value(COUNT)
                cutter.reset()


async def test_no_answer_to_commit(
    connection: PgConnection, cutter: Cutter, cut_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_transaction, "COMMIT_SECONDS", 0.2)
    monkeypatch.setattr(trio_connection, "STOP_SECONDS", 0.2)
    async with await connect(cut_place) as cut:
        with pytest.raises(OutcomeUnknown, match="no answer came in time"):
            async with cut.transaction():
                await cut.run(ADD, "a")
                cutter.mode = Mode.STALL
        assert cut.closed


async def test_an_end_that_waits_for_too_long_is_undone(
    connection: PgConnection, other: PgConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped, and its answer tells that it was not committed."""
    monkeypatch.setattr(pg_transaction, "COMMIT_SECONDS", 0.2)
    async with other.transaction():
        await other.script("LOCK TABLE item")
        with pytest.raises(CommitTimeout, match="was not committed"):
            async with connection.transaction() as transaction:
                await connection.run("INSERT INTO child (name) VALUES ('a')")
                await transaction.commit_after([(ADD, ("a",))])
        assert connection.at_rest
    assert await connection.value("SELECT count(*) FROM child") == 0


async def test_no_answer_to_rollback(
    connection: PgConnection, cutter: Cutter, cut_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_transaction, "ROLLBACK_SECONDS", 0.2)
    monkeypatch.setattr(trio_connection, "STOP_SECONDS", 0.2)
    async with await connect(cut_place) as cut:
        with pytest.raises(RuntimeError, match="mine"):
            async with cut.transaction():
                await cut.run(ADD, "a")
                cutter.mode = Mode.STALL
                raise RuntimeError("mine")
        assert cut.closed
    cutter.mode = Mode.PASS
    assert await connection.value(COUNT) == 0


async def test_commit_is_not_cancelled(connection: PgConnection, other: PgConnection) -> None:
    """A constraint that is checked at the end makes COMMIT wait for another transaction."""
    await connection.script("ALTER TABLE child ADD UNIQUE (amount) DEFERRABLE INITIALLY DEFERRED")
    async with other.transaction():
        await other.run("INSERT INTO child (amount) VALUES (1)")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(add_one, connection)
            async with await connect(connection.raw.info.dsn) as watcher:
                await until_running(watcher, "COMMIT")
            nursery.cancel_scope.cancel()
            nursery.start_soon(roll_back_by_force, other, nursery)
    assert connection.at_rest


async def add_one(connection: PgConnection) -> None:
    async with connection.transaction():
        await connection.run("INSERT INTO child (amount) VALUES (1)")


async def roll_back_by_force(connection: PgConnection, nursery: trio.Nursery) -> None:
    with trio.CancelScope(shield=True):
        await connection.script("ROLLBACK; BEGIN")


async def test_cancelled_within_the_block(connection: PgConnection, other: PgConnection) -> None:
    with trio.move_on_after(0.1) as scope:
        async with connection.transaction():
            await connection.run(ADD, "a")
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert connection.at_rest
    assert await other.value(COUNT) == 0


@pytest.mark.parametrize("idle", [True, False])
async def test_terminated_within_the_block(connection: PgConnection, other: PgConnection, idle: bool) -> None:
    pid = connection.raw.pgconn.backend_pid

    async def terminate() -> None:
        if not idle:
            await until_running(other, "pg_sleep")
        await other.value("SELECT pg_terminate_backend($1::int)", pid)
        await until_it(lambda: gone(other, pid))

    words = "administrator command" if idle else "the connection is closed"
    with pytest.raises(DatabaseFault, match=words):
        async with connection.transaction():
            await connection.run(ADD, "a")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(terminate)
                if not idle:
                    await bare(connection)
            await connection.value("SELECT 1")
    assert connection.closed
    assert await other.value(COUNT) == 0


async def bare(connection: PgConnection) -> None:
    with pytest.raises(DatabaseFault, match="57P01"):
        await connection.value("SELECT pg_sleep(60)")


async def gone(watcher: PgConnection, pid: int) -> bool:
    return await watcher.value("SELECT 1 FROM pg_stat_activity WHERE pid = $1", pid) is None


async def test_a_constraint_is_named(connection: PgConnection) -> None:
    await connection.run("INSERT INTO child (name) VALUES ('secret')")
    with pytest.raises(ConstraintViolation) as caught:
        await connection.run("INSERT INTO child (name) VALUES ('secret')")
    assert (caught.value.constraint, caught.value.table) == ("child_name_key", "child")
    assert "secret" not in str(caught.value)
