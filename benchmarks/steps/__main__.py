"""Measures the registration by steps against Starlette and uvicorn: python -m benchmarks.steps [--quick]

Both do the same work on SQLite with the same durability, with 32 connections. Server and client have a core each. BEFORE=CHECKOUT in the environment adds an earlier version.
"""

import sys
from functools import partial

from benchmarks.checkout import with_earlier
from benchmarks.client import run_client
from benchmarks.part import Parts, run_parts
from benchmarks.process import Words, free_port, scratch, server
from benchmarks.table import Figures, note, ratio, report, rounds

MODULES = {"ours": "benchmarks.steps.ours", "starlette": "benchmarks.steps.peer"}
MODES = {"look": "getState", "register": "whole phone flow"}
CONNECTIONS = 32


def measure(name: str, mode: str, seconds: float) -> Figures:
    """One measurement of one server, on a fresh database."""
    port, code_port = free_port(), free_port()
    load: Words = ("-m", "benchmarks.steps.load", mode, port, code_port, CONNECTIONS, seconds)
    with scratch() as folder, server([sys.executable, "-m", MODULES[name], port, code_port, folder], port):
        return run_client([sys.executable, *load])


def compare(mode: str, count: int, seconds: float) -> None:
    runs = with_earlier({"ours": partial(measure, "ours", mode, seconds)})
    runs["starlette"] = partial(measure, "starlette", mode, seconds)
    table = rounds(runs, count)
    report(f"{MODES[mode]}, {CONNECTIONS} connections, SQLite", table, ("per_second", "p50_ms", "p99_ms"))
    note("ratio", ratio(table, "per_second", "ours", "starlette"))


def parts(quick: bool) -> Parts:
    count, seconds = (1, 1.0) if quick else (5, 3.0)
    return {mode: partial(compare, mode, count, seconds) for mode in MODES}


if __name__ == "__main__":
    run_parts("benchmarks.steps", "Measure the registration by steps against its peer.", parts)
