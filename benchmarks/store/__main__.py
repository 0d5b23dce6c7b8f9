"""Measures the stores: python -m benchmarks.store [--quick] [--only PART]

    driver  the statements of a post by our driver on Trio and by asyncpg on asyncio, each with its pool
    posts   posts over HTTP on PostgreSQL, to the same statements by asyncpg alone: no HTTP, no events told
    sqlite  posts over HTTP on SQLite, to an earlier version where BEFORE=CHECKOUT is given

PostgreSQL has its default settings and flushes to the disk. Everything on it may use every core, since PostgreSQL
itself needs one; sides take turns within each round.
"""

import json
import subprocess
import sys
from functools import partial

import psycopg

from benchmarks.checkout import with_earlier
from benchmarks.client import run_client
from benchmarks.part import Parts, run_parts
from benchmarks.process import EVERY_CORE, Words, compiled
from benchmarks.product import product
from benchmarks.rooms import measure
from benchmarks.rooms.world import World, postgres_world
from benchmarks.store.database import cluster, new_database
from benchmarks.store.statement import PEOPLE, ROOMS
from benchmarks.table import BEFORE, Figures, note, ratio, report, rounds, verdict

POOL = 16
"""Connections of the product's pool, as by default, and of the pools that it is held against."""
WANTED = {1: 0.95, 50: 1.0}


def side(url: str, module: str, tasks: int, seconds: float, *words: str) -> Figures:
    """One run of one side in a new process."""
    with psycopg.connect(url, autocommit=True) as connection:  # each run meets tables of one length
        connection.execute("TRUNCATE event, post CASCADE")
        connection.execute(
            "INSERT INTO allowance (account_id, day, posts, rooms, kept_bytes)"
            " SELECT id, extract(epoch FROM now())::bigint / 86400, 0, 0, 0 FROM account ON CONFLICT DO NOTHING"
        )
        connection.execute("CHECKPOINT")
    arguments = [url, str(tasks), str(min(tasks, POOL)), str(seconds), *words]
    command = [sys.executable, "-m", f"benchmarks.store.{module}", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120)
    figures: Figures = json.loads(done.stdout)
    return figures


def over_http(url: str, made: World, posters: int, seconds: float) -> Figures:
    """Posts to the started server."""
    settings = (f"store.url={url}", f"server.key={made.path.with_suffix('.key')}", "node.name=one")
    with product(made.path, *settings, core=EVERY_CORE) as running:
        used = running.cpu_seconds()
        rooms = f"{made.rooms[0]}-{made.rooms[-1]}"
        words: Words = [compiled(measure.CLIENT), "post", running.port, made.tokens, rooms, posters, seconds]
        figures = run_client(words, EVERY_CORE)
        share = seconds / (seconds + measure.WARM_UP_SECONDS)
        figures["cpu_us"] = (running.cpu_seconds() - used) * 1e6 / figures["served"] * share
        return figures


def driver(count: int, seconds: float) -> None:
    with cluster() as made:
        url = new_database(made)
        with postgres_world(url, people=PEOPLE, rooms=ROOMS):
            for tasks, wanted in WANTED.items():
                table = rounds(
                    {
                        "ours, as the store sends them": partial(side, url, "ours", tasks, seconds, "joined"),
                        "ours, one by one": partial(side, url, "ours", tasks, seconds),
                        "asyncpg, one by one": partial(side, url, "peer", tasks, seconds),
                    },
                    count,
                )
                report(f"The statements of a post, {tasks} tasks", table, ("posts_s", "cpu_us"))
                for name in list(table)[:2]:
                    rate = ratio(table, "posts_s", name, "asyncpg, one by one")
                    verdict(f"posts/s of {name}, to asyncpg's", rate, wanted)


def posts(count: int, seconds: float) -> None:
    with cluster() as made:
        url = new_database(made)
        with postgres_world(url, people=PEOPLE, rooms=ROOMS) as world:
            table = rounds(
                {
                    "over HTTP": partial(over_http, url, world, PEOPLE, seconds),
                    "asyncpg alone": partial(side, url, "peer", PEOPLE, seconds),
                },
                count,
            )
    report(f"Posts on PostgreSQL, {PEOPLE} posters", table, ("posts_s", "cpu_us"))
    verdict("posts/s over HTTP to asyncpg alone", ratio(table, "posts_s", "over HTTP", "asyncpg alone"), 0.6)


def sqlite(count: int, seconds: float) -> None:
    one, fifty = "1 poster", "50 posters"
    table = rounds(
        with_earlier(
            {
                one: partial(measure.fresh_post, 1, seconds),
                fifty: partial(measure.fresh_post, PEOPLE, seconds),
            }
        ),
        count,
    )
    report("Posts on SQLite", table, ("posts_s", "p50_us", "p99_us", "cpu_us"))
    for name in (one, fifty):
        if f"{BEFORE} {name}" in table:
            verdict(f"posts/s of {name} to before", ratio(table, "posts_s", name, f"{BEFORE} {name}"), 0.95)
        else:
            note(f"posts/s of {name}, with nothing to compare", table[name][0]["posts_s"])


def parts(quick: bool) -> Parts:
    count, seconds = (1, 1.0) if quick else (3, 2.0)
    return {
        "driver": partial(driver, count, seconds),
        "posts": partial(posts, count, seconds),
        "sqlite": partial(sqlite, count, seconds),
    }


if __name__ == "__main__":
    run_parts("benchmarks.store", "Measure the stores.", parts)
