"""Measures the front door side by side with what else people would use: python -m benchmarks.front [--quick]

Server and client have a core each. `ours` and `bare` are the front door alone, with endpoints that do next to nothing.
"""

from functools import partial

from benchmarks.front import churn, house, measure
from benchmarks.front.measure import House
from benchmarks.front.memory import memory
from benchmarks.front.server import server
from benchmarks.part import Parts, run_parts
from benchmarks.table import Table, median, note, pool, ratio, report, rounds, verdict


def fan_table(
    names: tuple[str, ...], count: int, sockets: int, seconds: float, samples: int, deaf: int = 0
) -> Table:
    runs = {name: partial(measure.fan, name, sockets, seconds, samples, deaf=deaf) for name in names}
    return pool(rounds(runs, count), "last_us", "last")


def fan_out(count: int, seconds: float, samples: int) -> None:
    for sockets in (1000, 5000):
        names = ("ours", "websockets", "ws", "floor-py", "floor")
        table = fan_table(names, count, sockets, seconds, samples)
        report(
            f"Fan-out of 200 bytes to {sockets:,} sockets, {count * samples} times to the last",
            table,
            ("deliveries_s", "last_p50_us", "last_p99_us", "connects_s", "kib_a_socket", "cpu_us"),
        )
        judge_fan(table)


def judge_fan(table: Table) -> None:
    def to(peer: str, figure: str = "deliveries_s") -> float:
        return ratio(table, figure, "ours", peer)

    verdict("deliveries to websockets.broadcast", to("websockets"), 1.4)
    verdict("deliveries to ws", to("ws"), 1.15)
    verdict("deliveries to a bare loop of send in Python", to("floor-py"), 0.8)
    note("deliveries to a bare loop of send in C", to("floor"))
    verdict("connects to websockets", to("websockets", "connects_s"), 1.2)
    verdict("p99 to the last, to ws", to("ws", "last_p99_us"), 1.0, at_most=True)


def stock(seconds: float, samples: int) -> None:
    table = fan_table(("ours", "stock"), 1, 1000, seconds, samples)
    figures = ("deliveries_s", "last_p99_us", "kib_a_socket")
    report("Against stock Quart-Trio on Hypercorn, 1,000 sockets", table, figures)


def hot(count: int, seconds: float) -> None:
    houses: dict[str, House] = {
        "product": house.rpc,
        "bare": partial(server, "ours"),
        "starlette": partial(server, "starlette"),
        "ws": partial(server, "ws"),
        "stock": partial(server, "stock"),
    }
    table = rounds(
        {name: partial(measure.http, house_of, 32, seconds) for name, house_of in houses.items()}, count
    )
    report("POST /rpc, 32 connections (ws: Node's http)", table, ("requests_s", "p50_us", "p99_us", "cpu_us"))
    verdict("requests to uvicorn + Starlette", ratio(table, "requests_s", "product", "starlette"), 1.0)
    note("those of the bare front door", ratio(table, "requests_s", "bare", "starlette"))


def deaf(count: int, seconds: float, samples: int) -> None:
    without = fan_table(("ours",), count, 800, seconds, samples)
    table = fan_table(("ours",), count, 1000, seconds, samples, deaf=200)
    report("200 of 1,000 sockets never read", table, ("deliveries_s", "last_p99_us", "shutdown_s"))
    share = median(table, "ours", "last_p99_us") / median(without, "ours", "last_p99_us")
    verdict("p99 to that without them", share, 1.5, at_most=True)
    verdict("seconds to shut down, grace 2", median(table, "ours", "shutdown_s"), 3.0, at_most=True)


def churn_report(seconds: float) -> None:
    figures = churn.run(seconds)
    print(f"\n{figures['connections']:,.0f} connections in {seconds:.0f} s of churn")
    verdict("descriptors left open", figures["descriptors"], 0, at_most=True)
    verdict("MiB grown in the second half", figures["grown_mib"], 5, at_most=True)


def parts(quick: bool) -> Parts:
    count, seconds, samples = (1, 1.0, 20) if quick else (5, 2.0, 150)
    return {
        "fan": partial(fan_out, count, seconds, samples),
        "stock": partial(stock, seconds, samples),
        "memory": partial(memory, 5.0 if quick else 40.0),
        "hot": partial(hot, count, seconds),
        "deaf": partial(deaf, count, seconds, samples),
        "churn": partial(churn_report, 10.0 if quick else 120.0),
    }


if __name__ == "__main__":
    run_parts("benchmarks.front", "Measure the front door against its peers.", parts)
