"""Faults of the database and of the link under two nodes: nothing acknowledged is lost, nothing comes twice, one order.

`make faults-nodes` stops the database for as long as an operator's restart takes; a run of all tests for two seconds.
"""

import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import trio

from regserver.ports.transaction import Lock
from regserver.store.postgres.postgres_sql import lock_query
from tests.crash.actor import Request, StoreAway, read_cursor
from tests.crash.fleet import NAMES, Fleet
from tests.peer.postgres import Cluster
from tests.system.node_load import NodeLoad
from tests.system.server import ROOT, listening

STOPPED_SECONDS = float(os.environ.get("STOPPED_SECONDS", "2"))
SOON = ("store.pool_timeout=500ms",)
EVENTS, PIECE = 10_000, 500
LOST = 40
"""More than the 32 numbers by which a standby's sequence is ahead."""
CUT = (
    "SELECT split_part(query, ' ', 1) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query ~ '^(LISTEN|NOTIFY) ' AND pg_terminate_backend(pid)"
)


@asynccontextmanager
async def loaded(folder: Path, url: str) -> AsyncIterator[NodeLoad]:
    """Two nodes on a database, with people."""
    fleet = Fleet(folder, url, SOON)
    try:
        async with fleet.open("one"), fleet.open("two"):
            load = NodeLoad(folder, fleet)
            await load.settle_in()
            yield load
    finally:
        await fleet.aclose()


async def in_thread(work: Callable[[], object]) -> None:
    await trio.to_thread.run_sync(work)


async def test_a_stopped_database(tmp_path: Path) -> None:
    """Sockets stay open meanwhile, and posts are refused by name."""
    with Cluster.create() as cluster:
        async with loaded(tmp_path, cluster.url(cluster.create_database())) as load:

            async def stop() -> None:
                await in_thread(lambda: cluster.stop(signal.SIGINT))
                await trio.sleep(STOPPED_SECONDS)
                await in_thread(cluster.start)

            verdict = await load.bear(stop)
            assert verdict.is_clean, verdict
            assert load.refused
            assert [ears.resumptions for ears in load.ears.values()] == [1, 1]


async def test_a_standby_takes_over(tmp_path: Path) -> None:
    """The nodes find it by the hosts of their URL, which is that of docs/nodes.md. What is acknowledged was at the standby, since the primary waits for that."""
    with Cluster.create() as primary:
        name = primary.create_database()
        with Cluster.create(primary=primary) as standby:
            await in_thread(primary.require_standby)
            hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
            (found,) = re.findall(
                r"postgresql://regserver@db1\S+", (ROOT / "docs" / "nodes.md").read_text("utf-8")
            )
            url = found.replace("regserver@db1.example.org,db2.example.org/regserver", f"test@{hosts}/{name}")
            async with loaded(tmp_path, url) as load:

                async def fail_over() -> None:
                    await in_thread(primary.stop)
                    await trio.sleep(0.5)
                    await in_thread(standby.promote)

                verdict = await load.bear(fail_over)
                assert verdict.is_clean, verdict
                assert load.refused


async def test_a_standby_that_lacks_commits_takes_over(tmp_path: Path) -> None:
    """Nobody's cursor of what is lost is taken for good, what comes under its numbers is heard, and no node is restarted."""
    with Cluster.create() as primary:
        name = primary.create_database()
        with Cluster.create(primary=primary) as standby:
            hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
            url = f"postgresql://test@{hosts}/{name}?target_session_attrs=read-write"
            async with loaded(tmp_path, url) as load:
                servers = load.fleet.up
                at = {
                    each: f"{load.fleet.socket_url(each)}/room/websocket?token={load.eve.token}"
                    for each in NAMES
                }
                async with listening(at["one"] + "&since=") as first:
                    kept = (await first.message())["cursor"]
                await in_thread(lambda: standby.fall_behind(primary))
                async with listening(at["one"]) as plain, listening(at["two"] + "&since=") as resumable:
                    await resumable.message()
                    for number in range(LOST):
                        await load.post("one", load.ann, f"lost-{number}")
                    heard = [await resumable.message() for _ in range(LOST)]
                    await in_thread(primary.stop)
                    await in_thread(standby.promote)
                    await load.post("two", load.bob, "new")
                    assert [(await plain.message())["content"] for _ in range(LOST)][-1] == heard[-1][
                        "content"
                    ]
                    assert [await each.close_code() for each in (plain, resumable)] == [1013, 1013]
                lost = read_cursor(load.seal, heard[-1]["cursor"])
                for node in NAMES:
                    async with listening(f"{at[node]}&since={heard[-1]['cursor']}") as late:
                        assert (await late.message())["recovered"] is False
                        await load.post("one", load.ann, f"after-{node}")
                        assert (await late.message())["content"] == f"after-{node}"
                    async with listening(f"{at[node]}&since={kept}") as early:
                        resumed = await early.message()
                        assert resumed["recovered"] is True
                        news = [await early.message() for _ in range(resumed["missed"])]
                        assert news[0]["content"] == "new"
                        assert read_cursor(load.seal, news[0]["cursor"]).id <= lost.id
                    said = await servers[node].wait_lines(
                        lambda line: "does not go on behind" in line["message"], 1
                    )
                    assert [line["level"] for line in said] == ["warning"]
                    figures = (await load.clients[node].get("/metrics")).text
                    assert "regserver_store_log_losses_total 1.0" in figures


async def test_a_link_that_is_cut(tmp_path: Path, cluster: Cluster, new_database: Callable[[], str]) -> None:
    """Ten thousand events come by no node, nobody tells of them, and those who listen are cut off: the nodes ask each second."""
    url = cluster.url(new_database().rpartition("dbname=")[2])
    cut: list[str] = []
    async with loaded(tmp_path, url) as load:

        def write() -> None:
            with psycopg.connect(url) as connection:
                for first in range(0, EVENTS, PIECE):
                    cut.extend(kind for (kind,) in connection.execute(CUT))
                    write_events(connection, load, first)
                    connection.commit()

        verdict = await load.bear(lambda: in_thread(write))
        assert verdict.is_clean, verdict
        assert cut.count("LISTEN") >= len(NAMES)
        assert "NOTIFY" in cut
        for name in NAMES:
            foreign = [text for text in load.contents(name) if text.startswith("foreign-")]
            assert foreign == [f"foreign-{number}" for number in range(EVENTS)]


def write_events(connection: "psycopg.Connection[tuple[object, ...]]", load: NodeLoad, first: int) -> None:
    """Posts as a unit of work writes them, many at once."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", log_lock())
    connection.execute(
        "WITH said AS (INSERT INTO post (room_id, author_id, content, created_at, ordinal)"
        " SELECT %(room)s, %(ann)s, 'foreign-' || n, 1, n + 1000000"
        " FROM generate_series(%(first)s::integer, %(last)s::integer) AS n RETURNING id, ordinal)"
        " INSERT INTO event (room_id, actor_id, at, change, post_id)"
        " SELECT %(room)s, %(ann)s, 1, '', id FROM said ORDER BY ordinal",
        {"room": load.room, "ann": load.ann.id, "first": first, "last": first + PIECE - 1},
    )


def log_lock() -> tuple[int, int]:
    """The two keys of the advisory lock of the log."""
    _, (space, slots) = lock_query(Lock.LOG)
    return space, slots[0]


async def test_a_transaction_that_is_terminated(
    tmp_path: Path, cluster: Cluster, new_database: Callable[[], str]
) -> None:
    """The post waits for the lock of the log, in the round trip of its COMMIT; asked for again at the other node, it is there once."""
    url = cluster.url(new_database().rpartition("dbname=")[2])
    async with loaded(tmp_path, url) as load:

        async def terminate() -> None:
            request = Request(load.ann, f"/room/post/{load.room}", {"content": "cut"}, "key-cut")
            with psycopg.connect(url, autocommit=True) as holder:
                holder.execute("SELECT pg_advisory_lock(%s, %s)", log_lock())
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(refused, load.clients["one"], request)
                    await terminate_waiting(holder)
                holder.execute("SELECT pg_advisory_unlock_all()")
            await load.post("two", load.ann, "cut")

        verdict = await load.bear(terminate, is_loaded=False)  # a load would wait for the lock too
        assert verdict.is_clean, verdict
        assert load.contents("one") == load.contents("two") == ["cut", "last"]


async def refused(client: httpx.AsyncClient, request: Request) -> None:
    try:
        await request.make(client)
    except StoreAway:
        return
    raise AssertionError(f"a transaction that was terminated is acknowledged: {request.answer}")


async def terminate_waiting(holder: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Ends whoever waits for the lock, which is in a transaction."""
    with trio.fail_after(20):
        while not holder.execute(  # noqa: ASYNC110  (nothing tells)
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'"
        ).fetchall():
            await trio.sleep(0.01)
