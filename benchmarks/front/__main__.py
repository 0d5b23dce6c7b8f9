"""Measures the front door and other servers in one run: python -m benchmarks.front [--quick]

BEFORE=CHECKOUT in the environment adds an earlier version to every part but `deaf` and `churn`; a figure's ratio to it
stands behind the figure. Server and client have a core each. `ours` and `bare` are the front door alone, with endpoints that do next to nothing.
"""

import contextlib
from functools import partial

from benchmarks.checkout import THIS, checkouts
from benchmarks.front import churn, contender, request, scenario
from benchmarks.front.contender import Open, contest
from benchmarks.front.memory import memory
from benchmarks.front.server import server
from benchmarks.part import Parts, run_parts
from benchmarks.table import Table, note, pool, ratio, report, rounds, verdict

WINDOWS = (1, 4, 16)
PEERS = ("websockets", "ws", "floor-py", "floor")


def ours(sockets: int, seconds: float, samples: int) -> dict[str, Open]:
    """The front door of this version, and of the earlier one if there is one."""
    return {
        name: partial(contender.fan, "ours", sockets, seconds, samples, checkout=checkout)
        for name, checkout in checkouts("ours").items()
    }


def fan_out(count: int, bursts: int, seconds: float, samples: int) -> None:
    for sockets in (1000, 5000):
        opens: dict[str, Open] = {
            **ours(sockets, seconds, samples),
            **{name: partial(contender.fan, name, sockets, seconds, samples) for name in PEERS},
        }
        table = pool(contest(opens, count, bursts), "last_us", "last")
        report(
            f"Fan-out of 200 bytes to {sockets:,} sockets, {count * bursts * samples} times to the last",
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


def windows(count: int, bursts: int, seconds: float, samples: int) -> None:
    """Several messages on their way at once: what waits for the same sockets may leave in one write."""
    for sockets in (1000, 5000):
        for window in WINDOWS:
            measured = samples if window == 1 else 1  # latency is that of one message at a time
            opens: dict[str, Open] = {
                name: partial(
                    contender.fan, peer, sockets, seconds, measured, window=window, checkout=checkout
                )
                for name, peer, checkout in (
                    *((name, "ours", checkout) for name, checkout in checkouts("ours").items()),
                    *((peer, peer, THIS) for peer in ("ws", "picows", "socketify")),
                )
            }
            table = pool(contest(opens, count, bursts), "last_us", "last")
            figures = ("deliveries_s", "cpu_us", "kib_a_socket")
            report(
                f"{window} messages of 200 bytes on their way to {sockets:,} sockets",
                table,
                (*figures, "last_p99_us") if window == 1 else figures,
            )
            judge_window(table, window)


def judge_window(table: Table, window: int) -> None:
    if window == 1:
        verdict("deliveries to picows", ratio(table, "deliveries_s", "ours", "picows"), 1.0)
        verdict(
            "p99 to the last, to picows", ratio(table, "last_p99_us", "ours", "picows"), 1.05, at_most=True
        )
        return
    verdict("deliveries to socketify", ratio(table, "deliveries_s", "ours", "socketify"), 1.0)
    share = ratio(table, "cpu_us", "ours", "socketify")
    if window == max(WINDOWS):
        verdict("processor time a delivery, to socketify", share, 1.0, at_most=True)
    else:
        note("processor time a delivery, to socketify", share)


def stock(bursts: int, seconds: float) -> None:
    opens = ours(1000, seconds, 10) | {"stock": partial(contender.fan, "stock", 1000, seconds, 10)}
    table = pool(contest(opens, 1, bursts), "last_us", "last")
    figures = ("deliveries_s", "last_p99_us", "kib_a_socket")
    report("Against stock Quart-Trio on Hypercorn, 1,000 sockets", table, figures)


def hot(count: int, bursts: int, seconds: float) -> None:
    opens: dict[str, Open] = {
        **{
            name: partial(contender.http, partial(scenario.rpc, checkout), seconds)
            for name, checkout in checkouts("product").items()
        },
        "bare": partial(contender.http, partial(server, "ours"), seconds),
        "starlette": partial(contender.http, partial(server, "starlette"), seconds),
        "ws": partial(contender.http, partial(server, "ws"), seconds),
        "stock": partial(contender.http, partial(server, "stock"), seconds),
    }
    table = contest(opens, count, bursts)
    report("POST /rpc, 32 connections (ws: Node's http)", table, ("requests_s", "p50_us", "p99_us", "cpu_us"))
    verdict("requests to uvicorn + Starlette", ratio(table, "requests_s", "product", "starlette"), 1.0)
    note("those of the bare front door", ratio(table, "requests_s", "bare", "starlette"))


def deaf(bursts: int, seconds: float, samples: int) -> None:
    with contextlib.ExitStack() as stack:
        without = stack.enter_context(contender.fan("ours", 800, seconds, samples))
        among = stack.enter_context(contender.fan("ours", 1000, seconds, samples, deaf=200))
        table = pool(
            rounds({"800 that read": without.burst, "and 200 that never do": among.burst}, bursts),
            "last_us",
            "last",
        )
        took = among.stop()
    report("200 of 1,000 sockets never read", table, ("deliveries_s", "last_p50_us", "last_p99_us"))
    share = ratio(table, "last_p99_us", "and 200 that never do", "800 that read")
    verdict("p99 to that without them", share, 1.5, at_most=True)
    verdict("seconds to shut down, grace 2", took, 3.0, at_most=True)


def churn_report(seconds: float) -> None:
    figures = churn.run(seconds)
    print(f"\n{figures['connections']:,.0f} connections in {seconds:.0f} s of churn")
    verdict("descriptors left open", figures["descriptors"], 0, at_most=True)
    verdict("MiB grown in the second half", figures["grown_mib"], 5, at_most=True)


def parts(quick: bool) -> Parts:
    count, bursts, seconds, samples = (1, 2, 0.3, 10) if quick else (3, 8, 0.5, 30)
    return {
        "fan": partial(fan_out, count, bursts, seconds, samples),
        "windows": partial(windows, count, bursts, seconds, samples),
        "stock": partial(stock, bursts, seconds),
        "memory": partial(memory, 5.0 if quick else 40.0),
        "hot": partial(hot, count, bursts, seconds),
        "deaf": partial(deaf, 3 * bursts, seconds, samples),
        "requests": partial(request.measure, 1, bursts, seconds),
        "churn": partial(churn_report, 10.0 if quick else 120.0),
    }


if __name__ == "__main__":
    run_parts("benchmarks.front", "Measure the front door against its peers.", parts)
