"""Measures the fixture of regserver.testing: python -m benchmarks.testing [--quick]

Beside it, in turns: a bare Quart app in its test client, which is the least that a fixture in the process can take, and `regserver
serve` as a subprocess, which is what a test would start without the fixture. Each run is a new process; a start has ended when the
server has answered its first request.
"""

import json
import subprocess
import sys
from functools import partial

from benchmarks.part import Parts, run_parts
from benchmarks.table import Figures, median, ratio, report, rounds, verdict
from benchmarks.testing.sides import SIDES

STARTS = {"fixture": 10, "quart": 10, "subprocess": 2}


def measure(side: str) -> Figures:
    words = [sys.executable, "-m", "benchmarks.testing.sides", side, str(STARTS[side])]
    done = subprocess.run(words, check=True, capture_output=True, timeout=120)
    figures: Figures = json.loads(done.stdout)
    return figures


def compare(count: int) -> None:
    table = rounds({side: partial(measure, side) for side in SIDES}, count)
    report("Start and stop of a server for a test", table, ("import_ms", "first_ms", "later_ms", "stop_ms"))
    for figure in ("first_ms", "later_ms", "stop_ms"):
        for other in ("quart", "subprocess"):
            print(f"       {figure} to that of {other}: {ratio(table, figure, 'fixture', other):,.2f}")
    verdict("first start of a process, ms", median(table, "fixture", "first_ms"), 150, at_most=True)
    verdict("later starts, ms", median(table, "fixture", "later_ms"), 150, at_most=True)
    verdict("slowest stop of a run, ms", median(table, "fixture", "last_stop_ms"), 50, at_most=True)


def parts(quick: bool) -> Parts:
    return {"fixture": partial(compare, 1 if quick else 5)}


if __name__ == "__main__":
    run_parts("benchmarks.testing", "How long the fixture of regserver.testing takes.", parts)
