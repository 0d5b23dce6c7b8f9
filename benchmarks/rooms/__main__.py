"""Measures the rooms of the started product: python -m benchmarks.rooms [--quick] [--only PART]

Server and client have a core each. Processor time per unit is shown beside the clock's figures: on a machine that is
shared it is the steadier of the two. BEFORE=CHECKOUT in the environment adds an earlier version to posts, recovery and list.
"""

from functools import partial

from benchmarks.checkout import with_earlier
from benchmarks.part import Parts, run_parts
from benchmarks.rooms import measure
from benchmarks.rooms.world import world
from benchmarks.table import median, ratio, report, rounds, verdict

PEERS = ("socketify", "ws")


def posts(count: int, seconds: float) -> None:
    table = rounds(
        {
            **with_earlier({"1 posters": partial(measure.fresh_post, 1, seconds)}),
            "1, a commit each": partial(measure.fresh_post, 1, seconds, measure.ONE_COMMIT),
            **with_earlier({"50 posters": partial(measure.fresh_post, 50, seconds)}),
            "50, a commit each": partial(measure.fresh_post, 50, seconds, measure.ONE_COMMIT),
        },
        count,
    )
    report("Durable posts over HTTP", table, ("posts_s", "p50_us", "p99_us", "cpu_us"))
    verdict("posts/s of 1 to a commit each", ratio(table, "posts_s", "1 posters", "1, a commit each"), 0.9)
    verdict("posts/s of 50 to a commit each", ratio(table, "posts_s", "50 posters", "50, a commit each"), 1.0)


def fan(count: int, seconds: float, sockets: int) -> None:
    with world(people=sockets + 1) as made:
        fan_of = partial(measure.fan, made, sockets, seconds)
        table = rounds(
            {
                "bare fan-out": partial(fan_of, measure.BARE),
                "product": partial(fan_of, measure.PRODUCT),
                "product, with cursors": partial(fan_of, measure.PRODUCT, "?since="),
            },
            count,
        )
    report(
        f"Post to everybody in a room of {sockets:,}",
        table,
        ("deliveries_s", "last_p50_us", "last_p99_us", "connects_s", "cpu_us"),
    )
    for name in ("product", "product, with cursors"):
        rate = ratio(table, "deliveries_s", name, "bare fan-out")
        verdict(f"deliveries/s of the {name} to bare", rate, 0.8)
        time = ratio(table, "cpu_us", "bare fan-out", name)
        verdict(f"processor time a delivery, bare to {name}", time, 0.8)


def windows(count: int, seconds: float, sockets: int) -> None:
    """Real posts to everybody in a room, several on their way, beside the bare fan-out of others."""
    with world(people=sockets + 1) as made:
        for window in (4, 16):
            posts = partial(measure.fan, made, sockets, seconds, window=window)
            table = rounds(
                {
                    "product": partial(posts, measure.PRODUCT),
                    "product, with cursors": partial(posts, measure.PRODUCT, "?since="),
                    "bare fan-out": partial(posts, measure.BARE),
                    **{name: partial(measure.peer, name, sockets, seconds, window) for name in PEERS},
                },
                count,
            )
            report(
                f"{window} posts on their way to {sockets:,} in a room",
                table,
                ("deliveries_s", "cpu_us"),
            )
            for name in ("product", "product, with cursors"):
                for to, least in zip(PEERS, (0.85, 2.5), strict=True):
                    verdict(
                        f"deliveries/s of the {name} to {to}", ratio(table, "deliveries_s", name, to), least
                    )


def recovery(events: int, times: int) -> None:
    name = f"{events:,} events"
    table = rounds(with_earlier({name: partial(measure.recovery, events, times)}), 1)
    report("Recovery by one client", table, ("events_s", "p50_us", "p99_us"))
    verdict("missed events/s", median(table, name, "events_s"), 10_000)


def room_list(rooms: int, times: int) -> None:
    table = rounds(
        with_earlier(
            {
                f"{count:,} rooms, {each} unread": partial(measure.room_list, count, each, times)
                for count, each in ((1, 10), (rooms, 10), (rooms, 100))
            }
        ),
        1,
    )
    report("GET /room/list", table, ("p50_us", "p99_us", "bytes"))


def growth(count: int, seconds: float, lengths: tuple[int, ...]) -> None:
    for rooms in (1, 1000):
        with measure.kept(50, rooms, lengths) as worlds:
            table = rounds(
                {
                    f"{length:,} events": partial(measure.post, made, 50, seconds)
                    for length, made in worlds.items()
                },
                count,
            )
        report(f"A post as the log grows, {rooms:,} rooms", table, ("posts_s", "p50_us", "p99_us", "cpu_us"))
        first, *_, last = table
        verdict(f"cost of {last} to {first}", ratio(table, "cpu_us", last, first), 1.2, at_most=True)


def parts(quick: bool) -> Parts:
    count, seconds = (1, 1.0) if quick else (5, 2.0)
    return {
        "posts": partial(posts, count, seconds),
        "fan": partial(fan, count, seconds, 1000 if quick else 5000),
        "windows": partial(windows, count, seconds, 1000),
        "recovery": partial(recovery, 10_000, 3 if quick else 15),
        "list": partial(room_list, 1000, 5 if quick else 30),
        "growth": partial(growth, count, seconds, (1_000, 30_000) if quick else (1_000, 30_000, 1_000_000)),
    }


if __name__ == "__main__":
    run_parts("benchmarks.rooms", "Measure the rooms of the started product.", parts)
