"""Measures two nodes on one PostgreSQL: python -m benchmarks.nodes [--quick] [--only PART]

    delivery  from a post to a socket at its own node, and to one at the other
    posts     posts/s of 50 posters, at one node and dealt out to two
    fan       deliveries/s to the sockets of one room, at one node and dealt out to two
    catch-up  10,000 events that no node has told of, until a socket has heard all of them

Nodes, client and PostgreSQL share all cores. With two of them two nodes have no core each, so what two nodes would gain on
cores of their own is computed beside, from the processor time of the nodes. Of posts: a node makes its own (m) and hears of the
other's (h), which is measured at a second node that makes none; so two make 2 m / (m + h) times as many as one. Of deliveries:
what one costs two nodes. For posts and fan nothing is flushed to the disk, so that the nodes are what is compared; all else has
PostgreSQL's default settings.
"""

import contextlib
import time
from collections.abc import Iterator
from functools import partial

import psycopg

from benchmarks.client import client, run_client
from benchmarks.part import Parts, run_parts
from benchmarks.process import EVERY_CORE, HERE, Server, compiled
from benchmarks.product import product
from benchmarks.rooms.world import World, postgres_world
from benchmarks.store.database import cluster, new_database
from benchmarks.table import Figures, median, ratio, report, rounds, verdict

CLIENT = HERE / "nodes" / "nodeclient.c"
NAMES = ("one", "two")
POSTERS, EVENTS = 50, 10_000
WARM_UP_SECONDS = 0.3  # of the client, before it counts

Places = tuple[str, World]
"""The URL of a database, and what is in it."""


@contextlib.contextmanager
def nodes(place: Places, count: int) -> Iterator[list[Server]]:
    """So many nodes on one database."""
    url, made = place
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                product(
                    made.path,
                    f"store.url={url}",
                    f"server.key={made.path.with_suffix('.key')}",
                    f"node.name={name}",
                    core=EVERY_CORE,
                )
            )
            for name in NAMES[:count]
        ]


@contextlib.contextmanager
def world(people: int, rooms: int = 1, *, flushes: bool = True) -> Iterator[Places]:
    with cluster(flushes=flushes) as made:
        url = new_database(made)
        with postgres_world(url, people=people, rooms=rooms) as filled:
            yield url, filled


def measured(place: Places, count: int, mode: str, unit: str, seconds: float, *words: str | float) -> Figures:
    """One run of the client against so many nodes; with the nodes' processor time for each unit."""
    with nodes(place, count) as running:
        ports = ",".join(str(node.port) for node in running)
        used = sum(node.cpu_seconds() for node in running)
        figures = run_client([compiled(CLIENT), mode, ports, place[1].tokens, *words], EVERY_CORE)
        used = sum(node.cpu_seconds() for node in running) - used
        if unit:
            figures["cores"] = used / (seconds + WARM_UP_SECONDS)
            figures["cpu_us"] = figures["cores"] / figures[unit] * 1e6
        return figures


def hearing(place: Places, rooms: str, seconds: float) -> Figures:
    """All posts are made at the first of two nodes: the processor time of each for a post."""
    with nodes(place, 2) as running:
        used = [node.cpu_seconds() for node in running]
        words = ("post", running[0].port, place[1].tokens, rooms, POSTERS, seconds)
        figures = run_client([compiled(CLIENT), *words], EVERY_CORE)
        made, heard = (
            (node.cpu_seconds() - before) / (seconds + WARM_UP_SECONDS) / figures["posts_s"] * 1e6
            for node, before in zip(running, used, strict=True)
        )
        return {"posts_s": figures["posts_s"], "cpu_us": made, "heard_us": heard}


def delivery(count: int, posts: int) -> None:
    with world(people=3) as place:
        run = partial(measured, place, 2, "hear", "", 0.0, place[1].rooms[0], posts, 0.005)
        table = rounds({"from a post": run}, count)
    report(
        "A post to sockets at both nodes, one post at a time",
        table,
        ("p50_0_us", "p99_0_us", "p50_1_us", "p99_1_us"),
    )
    name = "from a post"
    halves = [row["p50_1_us"] / row["p50_0_us"] for row in table[name]]
    verdict("median to the other node, to its own", sorted(halves)[len(halves) // 2], 3, at_most=True)
    verdict("p99 to the other node, ms", median(table, name, "p99_1_us") / 1000, 25, at_most=True)


def compare(title: str, table: dict[str, list[Figures]], unit: str) -> None:
    report(title, table, (unit, "cpu_us", "cores"))
    verdict(f"{unit} of two nodes to one", ratio(table, unit, "two nodes", "one node"), 1.6)


OWN_CORES = "the same by processor time, if each node had a core of its own"


def posts(count: int, seconds: float) -> None:
    with world(people=POSTERS, rooms=POSTERS, flushes=False) as place:
        rooms = f"{place[1].rooms[0]}-{place[1].rooms[-1]}"
        run = partial(measured, place)
        words = ("post", "posts_s", seconds, rooms, POSTERS, seconds)
        table = dict(
            rounds(
                {
                    "one node": partial(run, 1, *words),
                    "two nodes": partial(run, 2, *words),
                    "one of two": partial(hearing, place, rooms, seconds),
                },
                count,
            )
        )
    apart = {"made and heard": table.pop("one of two")}
    compare(f"Posts of {POSTERS} posters", table, "posts_s")
    report("All of them made at one of two nodes, and heard of by the other", apart, ("cpu_us", "heard_us"))
    gains = [2 / (1 + row["heard_us"] / row["cpu_us"]) for row in apart["made and heard"]]
    verdict(OWN_CORES, sorted(gains)[len(gains) // 2], 1.6)


def fan(count: int, seconds: float, sockets: int) -> None:
    with world(people=sockets + 1, flushes=False) as place:
        run = partial(measured, place)
        words = ("fan", "deliveries_s", 2 * seconds, place[1].rooms[0], sockets, seconds, 8)
        table = dict(
            rounds({"one node": partial(run, 1, *words), "two nodes": partial(run, 2, *words)}, count)
        )
    compare(f"Posts to {sockets} sockets in a room", table, "deliveries_s")
    verdict(OWN_CORES, 2 / ratio(table, "cpu_us", "two nodes", "one node"), 1.6)


def caught_up(place: Places) -> Figures:
    """Seconds from the word that there are events until a socket has heard all of them."""
    url, made = place
    with (
        nodes(place, 1) as (node,),
        client([compiled(CLIENT), "catch", node.port, made.tokens, EVENTS], EVERY_CORE) as hearing,
    ):
        hearing.read()
        with psycopg.connect(url) as connection:
            connection.execute(_EVENTS, {"count": EVENTS})
            connection.execute("NOTIFY regserver")
        started = time.monotonic()
        return {"seconds": hearing.read()["at"] - started}


_EVENTS = """
WITH said AS (
    INSERT INTO post (room_id, author_id, content, created_at, ordinal)
    SELECT 1, 2, repeat('x', 100), 1, 1000000 + n FROM generate_series(1, %(count)s::integer) AS n RETURNING id
)
INSERT INTO event (room_id, actor_id, at, change, post_id) SELECT 1, 2, 1, '', id FROM said ORDER BY id
"""


def catch_up(count: int) -> None:
    with world(people=2) as place:
        table = rounds({f"{EVENTS:,} events": partial(caught_up, place)}, count)
    report("Events that a node has missed, to a socket of it", table, ("seconds",))
    verdict("seconds", median(table, f"{EVENTS:,} events", "seconds"), 1.0, at_most=True)


def parts(quick: bool) -> Parts:
    count, seconds = (1, 1.0) if quick else (3, 2.0)
    return {
        "delivery": partial(delivery, count, 200 if quick else 1000),
        "posts": partial(posts, count, seconds),
        "fan": partial(fan, count, seconds, 3000),
        "catch-up": partial(catch_up, count),
    }


if __name__ == "__main__":
    run_parts("benchmarks.nodes", "Measure two nodes on one PostgreSQL.", parts)
