"""Which fault each error of the server is. The server raises them itself, most because a block of PL/pgSQL says so."""

import traceback

import pytest
import trio

from regserver.store.postgres.driver import (
    CancelledByServer,
    ConnectionLost,
    ConstraintViolation,
    DatabaseFault,
    DatabaseUnavailable,
    DiskFull,
    ForeignKeyViolation,
    LockTimeout,
    OutcomeUnknown,
    OutOfResources,
    PgConnection,
    PoolClosed,
    PoolFull,
    PoolTimeout,
    ReadOnlyServer,
    ServerFault,
    ServerStopping,
    StatementFault,
    TooManyConnections,
    TransactionConflict,
    UniqueViolation,
)
from tests.store.postgres.driver.moment import until, until_running


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", ConnectionLost),
        ("22003", StatementFault),
        ("23502", ConstraintViolation),
        ("23503", ForeignKeyViolation),
        ("23505", UniqueViolation),
        ("23514", ConstraintViolation),
        ("23P01", UniqueViolation),
        ("25006", ReadOnlyServer),
        ("26000", TransactionConflict),
        ("40001", TransactionConflict),
        ("40P01", TransactionConflict),
        ("42501", StatementFault),
        ("53100", DiskFull),
        ("53200", OutOfResources),
        ("53300", TooManyConnections),
        ("55P03", LockTimeout),
        ("57014", CancelledByServer),
        ("57P01", ServerStopping),
        ("57P02", ServerStopping),
        ("57P03", ServerStopping),
        ("57P05", ConnectionLost),
        ("58030", ServerFault),
        ("P0001", StatementFault),
        ("XX001", ServerFault),
    ],
)
async def test_each_state(connection: PgConnection, state: str, kind: type[DatabaseFault]) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'some words' USING ERRCODE = '{state}', DETAIL = 'secret'; END $$"
    with pytest.raises(DatabaseFault) as caught:
        await connection.run(raising)
    assert type(caught.value) is kind
    assert caught.value.sqlstate == state
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "kind",
    [
        CancelledByServer,
        ConnectionLost,
        DiskFull,
        LockTimeout,
        OutcomeUnknown,
        PoolClosed,
        PoolFull,
        PoolTimeout,
        ReadOnlyServer,
        ServerFault,
        ServerStopping,
        TooManyConnections,
    ],
)
def test_what_means_that_the_database_is_unavailable(kind: type[DatabaseFault]) -> None:
    assert issubclass(kind, DatabaseUnavailable)


@pytest.mark.parametrize("kind", [ConstraintViolation, StatementFault, TransactionConflict])
def test_what_does_not(kind: type[DatabaseFault]) -> None:
    assert not issubclass(kind, DatabaseUnavailable)


async def test_the_value_that_the_server_quotes_is_left_out(connection: PgConnection) -> None:
    with pytest.raises(StatementFault) as caught:
        await connection.value("SELECT $1::text::int", b"42,".decode() * 3)
    assert str(caught.value) == "InvalidTextRepresentation (22P02)"
    assert "42,42,42" not in "".join(traceback.format_exception(caught.value))


async def test_statement_timeout(connection: PgConnection) -> None:
    await connection.script("SET statement_timeout = '20ms'")
    with pytest.raises(CancelledByServer, match="statement timeout"):
        await connection.value("SELECT pg_sleep(60)")


async def test_lock_timeout(connection: PgConnection, other: PgConnection) -> None:
    async with connection.transaction():
        await connection.script("LOCK TABLE item")
        await other.script("SET lock_timeout = '20ms'")
        with pytest.raises(LockTimeout):
            await other.value("SELECT count(*) FROM item")


async def test_cancelled_by_somebody_else(connection: PgConnection, other: PgConnection) -> None:
    pid = connection.raw.pgconn.backend_pid

    async def cancel() -> None:
        await until_running(other, "pg_sleep")
        await other.value("SELECT pg_cancel_backend($1::int)", pid)

    async with trio.open_nursery() as inner:
        inner.start_soon(cancel)
        with pytest.raises(CancelledByServer, match="user request"):
            await connection.value("SELECT pg_sleep(60)")
    assert connection.at_rest


async def test_a_server_that_only_reads(connection: PgConnection) -> None:
    """A pool does not lend the connection again, since by its hosts it may find another server."""
    await connection.script("SET default_transaction_read_only = on")
    with pytest.raises(ReadOnlyServer):
        await connection.run("INSERT INTO item (name) VALUES ('a')")
    assert connection.at_rest
    assert connection.stale


async def test_a_disk_that_is_full_for_temporary_files(connection: PgConnection) -> None:
    await connection.script("SET temp_file_limit = '64kB'; SET work_mem = '64kB'")
    with pytest.raises(OutOfResources):
        await connection.value(
            "SELECT max(n) FROM (SELECT n FROM generate_series(1, 200000) n ORDER BY -n) AS x"
        )


async def test_idle_in_transaction_for_too_long(connection: PgConnection) -> None:
    await connection.script("SET idle_in_transaction_session_timeout = '20ms'")
    with pytest.raises(ConnectionLost, match="25P03"):
        async with connection.transaction():
            await connection.value("SELECT 1")
            await until(lambda: connection.has_input)
            await connection.value("SELECT 1")


async def test_a_prepared_statement_that_a_change_has_made_stale(
    connection: PgConnection, other: PgConnection
) -> None:
    for _ in range(2):
        await connection.rows("SELECT * FROM item")
    await other.script("ALTER TABLE item ADD extra bigint")
    with pytest.raises(TransactionConflict, match="cached plan must not change result type"):
        await connection.rows("SELECT * FROM item")
    assert connection.stale
