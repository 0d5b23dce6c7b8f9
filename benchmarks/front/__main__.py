"""Measures the front door side by side with what else people would use: python -m benchmarks.front [--quick]

All servers take their turns within each round, so that what else the machine does meets all of them; the table has
medians and the ratios that are asked for. Server and client have a core each.
"""

import argparse
import statistics
from collections.abc import Callable

from benchmarks.front import churn, measure, process
from benchmarks.front.measure import Figures

Table = dict[str, list[Figures]]


def rounds(names: tuple[str, ...], count: int, run: Callable[[str], Figures]) -> Table:
    table: Table = {name: [] for name in names}
    for _ in range(count):
        for name in names:
            table[name].append(run(name))
    return table


def median(table: Table, name: str, figure: str) -> float:
    return statistics.median(figures[figure] for figures in table[name])


def ratio(table: Table, figure: str, peer: str) -> float:
    """Of ours to the peer's: the median of the rounds' own ratios, since both were measured close together."""
    pairs = zip(table["ours"], table[peer], strict=True)
    return statistics.median(ours[figure] / theirs[figure] for ours, theirs in pairs)


def report(title: str, table: Table, figures: tuple[str, ...]) -> None:
    print(f"\n{title}")
    for name in table:
        cells = "  ".join(f"{figure} {median(table, name, figure):>10,.1f}" for figure in figures)
        print(f"  {name:<11} {cells}")


def verdict(what: str, value: float, bound: float, *, at_most: bool = False) -> None:
    met = value <= bound if at_most else value >= bound
    print(
        f"  {'yes' if met else 'NO '}  {what}: {value:.2f} ({'at most' if at_most else 'at least'} {bound})"
    )


def fan_out(sockets: int, count: int, seconds: float) -> None:
    names = ("ours", "websockets", "ws", "floor-py", "floor")
    table = rounds(names, count, lambda name: measure.fan(name, sockets, seconds))
    report(
        f"Fan-out of 200 bytes to {sockets:,} sockets",
        table,
        ("deliveries_s", "last_p50_us", "last_p99_us", "connects_s", "kib_a_socket", "cpu_us"),
    )
    verdict("deliveries to websockets.broadcast", ratio(table, "deliveries_s", "websockets"), 1.4)
    verdict("deliveries to ws", ratio(table, "deliveries_s", "ws"), 1.15)
    verdict("deliveries to a bare loop of send in Python", ratio(table, "deliveries_s", "floor-py"), 0.8)
    print(f"       deliveries to a bare loop of send in C: {ratio(table, 'deliveries_s', 'floor'):.2f}")
    verdict("connects to websockets", ratio(table, "connects_s", "websockets"), 1.2)
    verdict("p99 to the last, to ws", ratio(table, "last_p99_us", "ws"), 1.0, at_most=True)


def fans(count: int, seconds: float) -> None:
    for sockets in (1000, 5000):
        fan_out(sockets, count, seconds)


def stock(seconds: float) -> None:
    table = rounds(("ours", "stock"), 1, lambda name: measure.fan(name, 1000, seconds))
    report(
        "Against stock Quart-Trio on Hypercorn, 1,000 sockets",
        table,
        ("deliveries_s", "last_p99_us", "kib_a_socket"),
    )


def memory(seconds: float) -> None:
    for sockets in (5000, 19_000):
        table = rounds(("ours",), 1, lambda name, count=sockets: measure.idle(name, count, seconds))  # type: ignore[misc]
        report(f"Memory of {sockets:,} idle sockets after {seconds:.0f} s", table, ("kib_a_socket",))
        verdict("KiB a socket", median(table, "ours", "kib_a_socket"), 10, at_most=True)


def hot(count: int, seconds: float) -> None:
    names = ("ours", "starlette", "ws", "stock")
    table = rounds(names, count, lambda name: measure.http(name, 32, seconds))
    report("POST /rpc, 32 connections (ws: Node's http)", table, ("requests_s", "p50_us", "p99_us", "cpu_us"))
    verdict("requests to uvicorn + Starlette", ratio(table, "requests_s", "starlette"), 1.0)


def deaf(count: int, seconds: float) -> None:
    without = rounds(("ours",), count, lambda name: measure.fan(name, 800, seconds))
    table = rounds(("ours",), count, lambda name: measure.fan(name, 1000, seconds, deaf=200))
    report("200 of 1,000 sockets never read", table, ("deliveries_s", "last_p99_us", "shutdown_s"))
    share = median(table, "ours", "last_p99_us") / median(without, "ours", "last_p99_us")
    verdict("p99 to that without them", share, 1.5, at_most=True)
    verdict("seconds to shut down, grace 2", median(table, "ours", "shutdown_s"), 3.0, at_most=True)


def churn_report(seconds: float) -> None:
    figures = churn.run(seconds)
    print(f"\n{figures['connections']:,.0f} connections in {seconds:.0f} s of churn")
    verdict("descriptors left open", figures["descriptors"], 0, at_most=True)
    verdict("MiB grown in the second half", figures["grown_mib"], 5, at_most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the front door against its peers.")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--only", choices=["fan", "stock", "memory", "hot", "deaf", "churn"], help="one part")
    options = parser.parse_args()
    count, seconds = (1, 1.0) if options.quick else (5, 2.0)
    process.prepare()
    parts: dict[str, Callable[[], None]] = {
        "fan": lambda: fans(count, seconds),
        "stock": lambda: stock(seconds),
        "memory": lambda: memory(5.0 if options.quick else 40.0),
        "hot": lambda: hot(count, seconds),
        "deaf": lambda: deaf(count, seconds),
        "churn": lambda: churn_report(10.0 if options.quick else 120.0),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
