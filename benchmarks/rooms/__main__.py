"""Measures the rooms of the started product: python -m benchmarks.rooms [--quick] [--only PART]

Whatever is compared takes its turns within each round, so that what else the machine does meets all of it; the tables
have medians, and the ratios are medians of the rounds' own ratios. Server and client have a core each. Processor time
per unit is shown beside the clock's figures: on a machine that is shared it is the steadier of the two.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.rooms import measure, process
from benchmarks.rooms.process import Figures

Table = Mapping[str, list[Figures]]


def rounds(runs: Mapping[str, Callable[[], Figures]], count: int) -> Table:
    table: dict[str, list[Figures]] = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            table[name].append(run())
    return table


def median(figures: list[Figures], name: str) -> float:
    return statistics.median(row[name] for row in figures)


def ratio(table: Table, figure: str, ours: str, other: str) -> float:
    pairs = zip(table[ours], table[other], strict=True)
    return statistics.median(one[figure] / another[figure] for one, another in pairs)


def report(title: str, table: Table, figures: tuple[str, ...]) -> None:
    print(f"\n{title}")
    for name, rows in table.items():
        cells = "  ".join(f"{figure} {median(rows, figure):>10,.1f}" for figure in figures)
        print(f"  {name:<24} {cells}", flush=True)


def verdict(what: str, value: float, bound: float, *, at_most: bool = False) -> None:
    met = value <= bound if at_most else value >= bound
    sign = "at most" if at_most else "at least"
    print(f"  {'yes' if met else 'NO '}  {what}: {value:,.2f} ({sign} {bound:,})", flush=True)


def posts(count: int, seconds: float) -> None:
    runs: dict[str, Callable[[], Figures]] = {}
    for posters in (1, 50):
        runs[f"{posters} posters"] = lambda posters=posters: measure.posts(posters, seconds)  # type: ignore[misc]
        runs[f"{posters}, a commit each"] = lambda posters=posters: measure.posts(  # type: ignore[misc]
            posters, seconds, measure.ONE_COMMIT
        )
    table = rounds(runs, count)
    report("Durable posts over HTTP", table, ("posts_s", "p50_us", "p99_us", "cpu_us"))
    verdict("posts/s of 1 to a commit each", ratio(table, "posts_s", "1 posters", "1, a commit each"), 0.9)
    verdict("posts/s of 50 to a commit each", ratio(table, "posts_s", "50 posters", "50, a commit each"), 1.0)


def fan(count: int, seconds: float, sockets: int) -> None:
    with process.world(people=sockets + 1) as (path, made):
        runs: dict[str, Callable[[], Figures]] = {
            name: lambda module=module, query=query: measure.fan(  # type: ignore[misc]
                path, made, sockets, seconds, module, query
            )
            for name, module, query in (
                ("bare fan-out", measure.BARE, ""),
                ("product", measure.PRODUCT, ""),
                ("product, with cursors", measure.PRODUCT, "&since="),
            )
        }
        table = rounds(runs, count)
    report(
        f"Post to everybody in a room of {sockets:,}",
        table,
        ("deliveries_s", "last_p50_us", "last_p99_us", "connects_s", "cpu_us"),
    )
    for name in ("product", "product, with cursors"):
        verdict(
            f"deliveries/s of the {name} to bare", ratio(table, "deliveries_s", name, "bare fan-out"), 0.8
        )
        verdict(
            f"processor time a delivery, bare to {name}", ratio(table, "cpu_us", "bare fan-out", name), 0.8
        )


def recovery(events: int, times: int) -> None:
    table = rounds({f"{events:,} events": lambda: measure.recovery(events, times)}, 1)
    report("Recovery by one client", table, ("events_s", "p50_us", "p99_us"))
    verdict("missed events/s", median(table[f"{events:,} events"], "events_s"), 10_000)


def room_list(rooms: int, times: int) -> None:
    table = rounds(
        {
            f"{count:,} rooms, {each} unread": lambda count=count, each=each: measure.room_list(
                count, each, times
            )  # type: ignore[misc]
            for count, each in ((1, 10), (rooms, 10), (rooms, 100))
        },
        1,
    )
    report("GET /room/list", table, ("p50_us", "p99_us", "bytes"))


def growth(count: int, seconds: float, lengths: tuple[int, ...]) -> None:
    for rooms in (1, 1000):
        with tempfile.TemporaryDirectory(dir=process.BUILD) as folder:
            grown = measure.Growth(lengths, rooms).run(count, seconds, Path(folder))
        table = {f"{length:,} events": figures for length, figures in grown.items()}
        report(f"A post as the log grows, {rooms:,} rooms", table, ("posts_s", "p50_us", "p99_us", "cpu_us"))
        first, *_, last = table
        verdict(f"cost of {last} to {first}", ratio(table, "cpu_us", last, first), 1.2, at_most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the rooms of the started product.")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--only", choices=["posts", "fan", "recovery", "list", "growth"], help="one part")
    options = parser.parse_args()
    quick = options.quick
    count, seconds = (1, 1.0) if quick else (5, 2.0)
    process.prepare()
    parts: dict[str, Callable[[], None]] = {
        "posts": lambda: posts(count, seconds),
        "fan": lambda: fan(count, seconds, 1000 if quick else 5000),
        "recovery": lambda: recovery(10_000, 3 if quick else 15),
        "list": lambda: room_list(1000, 5 if quick else 30),
        "growth": lambda: growth(count, seconds, (1_000, 30_000) if quick else (1_000, 30_000, 1_000_000)),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
