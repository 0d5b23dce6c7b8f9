"""What others may do to the database's file while a server uses it: each is noticed, said, and costs nobody anything."""

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import trio

from tests.system.server import Server, open_server, run_command, sign_up

PLACE = ("--set", "store.url=sqlite:test.db")
SOON = 60
"""Seconds after which a test fails; what it waits for comes within one or two."""


async def until(client: httpx.AsyncClient, wanted: Callable[[int, str], bool]) -> str:
    """What readiness says of the store, once that is what is wanted of it: its status and its words."""
    with trio.fail_after(SOON):
        while True:
            response = await client.get("/health/ready")
            words = str(response.json()["parts"]["store"])
            if wanted(response.status_code, words):
                return words
            await trio.sleep(0.1)


async def ready(client: httpx.AsyncClient) -> None:
    await until(client, lambda status, words: status == 200 and words == "ok")


async def failing(client: httpx.AsyncClient) -> str:
    return await until(client, lambda status, words: status == 503 and words != "ok")


async def eventually(found: Callable[[], bool]) -> None:
    with trio.fail_after(SOON):
        while not found():  # noqa: ASYNC110  (nobody tells of it)
            await trio.sleep(0.1)


async def refused(client: httpx.AsyncClient, username: str) -> None:
    """A write is refused at every door, and says when to come again."""
    fields = {"username": username, "email": f"{username}@example.org", "password": "a very long password"}
    response = await client.post("/login/register", json=fields)
    assert (response.status_code, response.json()) == (503, {"error": "StoreUnavailable"})
    assert int(response.headers["retry-after"]) >= 1
    mailbox = {"email": f"{username}@example.org", "languageCode": "en"}
    fields = {"userName": "carol", "password": "rather long", **mailbox}
    response = await client.post("/init", json=fields)
    assert (response.status_code, response.json()["id"]) == (500, "INTERNAL_ERROR")


def people(database: Path) -> list[str]:
    """Who is in a file, alone by itself."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            return [name for (name,) in connection.execute("SELECT username FROM account ORDER BY id")]
        except sqlite3.OperationalError:  # not even the table
            return []


async def test_a_file_has_one_server_at_a_time(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        second = await run_command("serve", "--set", "server.bind=127.0.0.1:0", *PLACE, folder=tmp_path)
        assert second.returncode == 1
        assert f"test.db: in use by process {server.process.pid} on " in second.stderr.decode()
        (tmp_path / "link.db").symlink_to("test.db")
        through = ("--set", "store.url=sqlite:link.db")
        third = await run_command("serve", "--set", "server.bind=127.0.0.1:0", *through, folder=tmp_path)
        assert f"in use by process {server.process.pid}" in third.stderr.decode()
        await server.stop(signal.SIGKILL)
    async with open_server(tmp_path) as again, again.client() as client:
        await ready(client)


async def test_a_moved_database_is_noticed_and_whole(tmp_path: Path) -> None:
    database, elsewhere = tmp_path / "test.db", tmp_path / "moved.db"
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        database.rename(elsewhere)
        assert f"{database} was moved, removed or replaced" in await failing(client)
        await refused(client, "bob")
        assert (await ann.get("/login/info"))["user"]["username"] == "ann"  # reading goes on
        elsewhere.rename(database)
        await ready(client)
        await sign_up(client, "bob")
        database.rename(elsewhere)
        await failing(client)
    assert people(elsewhere) == ["ann", "bob"]
    # A start would make an empty store beside the old key; it says so and leaves everything as it is.
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = await run_command("serve", "--set", "server.bind=127.0.0.1:0", *PLACE, folder=tmp_path)
    assert done.returncode == 2
    assert (
        f"test.db is missing or empty, but the server's key {tmp_path}/test.key is there"
        in done.stderr.decode()
    )
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert before.keys() - after.keys() == set()
    assert after.keys() - before.keys() <= {"test.db-lock"}
    elsewhere.rename(database)
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "cid")


@pytest.mark.parametrize("part", ["test.db", "test.db-wal"])
async def test_a_removed_file_is_noticed(tmp_path: Path, part: str) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await ready(client)
        await trio.sleep(2)  # the log is known from the first look after the first write on
        (tmp_path / part).unlink()
        assert f"{tmp_path / part} was moved, removed or replaced" in await failing(client)
        await refused(client, "bob")


@pytest.mark.parametrize("part", ["key", "log"])
async def test_no_start_on_an_empty_store_beside_what_has_a_history(tmp_path: Path, part: str) -> None:
    left = tmp_path / ("regserver.key" if part == "key" else "regserver.db-wal")
    left.write_bytes(b"x" * 32)
    for empty in (False, True):
        if empty:
            (tmp_path / "regserver.db").touch()
        done = await run_command("serve", "--set", "server.bind=127.0.0.1:0", folder=tmp_path)
        assert done.returncode == 2
        assert f"{left.name} is there" in done.stderr.decode()
        assert b"regserver restore" in done.stderr
        assert left.read_bytes() == b"x" * 32


async def test_a_plain_copy_of_an_idle_database_is_whole(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await eventually(
            lambda: people(Path(shutil.copy(tmp_path / "test.db", tmp_path / "copy"))) == ["ann"]
        )


async def test_a_lock_of_another_program_is_waited_for_as_long_as_the_operator_says(tmp_path: Path) -> None:
    async with open_server(tmp_path, ["store.busy_timeout=300ms"]) as server, server.client() as client:
        await sign_up(client, "ann")
        with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await refused(client, "bob")
            words = await failing(client)
            assert words.startswith("another program holds the database's lock (since ")
            async with trio.open_nursery() as nursery:  # they wait together, not one after another
                for number in range(20):
                    nursery.start_soon(refused, client, f"person{number}")
            assert await failing(client) == words  # since when, however often it was tried
            other.execute("ROLLBACK")
        await ready(client)
        await sign_up(client, "bob")


async def test_below_the_floor_of_free_disk_nothing_is_written(tmp_path: Path) -> None:
    piece = 512 << 20
    disk = os.statvfs(tmp_path)
    floor = disk.f_bavail * disk.f_frsize - piece
    async with (
        open_server(tmp_path, [f"store.min_free={floor >> 10}KiB"]) as server,
        server.client() as client,
    ):
        ann = await sign_up(client, "ann")
        await ready(client)
        with (tmp_path / "filling").open("wb") as filling:
            os.posix_fallocate(filling.fileno(), 0, 2 * piece)
            assert "of the disk are free, and store.min_free is" in await failing(client)
            await refused(client, "bob")
            assert (await ann.get("/room/list"))["rooms"] == []
            filling.truncate(0)
        await ready(client)
        await sign_up(client, "bob")


async def test_a_disk_that_takes_no_more_is_told_and_tried_again(tmp_path: Path) -> None:
    """A limit on the size of files stands for every error of writing."""
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, most))
        await refused(client, "bob")
        assert "(since " in await failing(client)
        assert (await ann.get("/room/list"))["rooms"] == []
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, most))
        await ready(client)
        await sign_up(client, "bob")


async def write_a_lot(server: Server, acknowledged: list[str]) -> None:
    async with server.client() as client:
        while True:
            name = f"person{len(acknowledged)}"
            try:
                await sign_up(client, name)
            except (AssertionError, httpx.HTTPError):
                return
            acknowledged.append(name)


async def test_what_was_acknowledged_before_a_move_is_in_the_moved_file(tmp_path: Path) -> None:
    database, elsewhere = tmp_path / "test.db", tmp_path / "moved.db"
    acknowledged: list[str] = []
    async with open_server(tmp_path) as server, server.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(write_a_lot, server, acknowledged)
        await eventually(lambda: len(acknowledged) >= 5)
        database.rename(elsewhere)
        await failing(client)
    assert people(elsewhere) == acknowledged
