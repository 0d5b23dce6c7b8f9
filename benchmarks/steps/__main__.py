"""Measures the registration by steps against Starlette and uvicorn: python -m benchmarks.steps [--quick]

Both do the same work on SQLite with the same durability, with 32 connections, and take turns within each round. Server
and client have a core each. The table has medians; the ratio is the median of the rounds' own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.front.process import CLIENT_CORE, ROOT, SERVER_CORE, _wait_for, free_port

SERVERS = {"ours": "benchmarks.steps.ours", "starlette": "benchmarks.steps.peer"}
MODES = {"look": "getState", "register": "whole phone flow"}
CONNECTIONS = 32

Figures = dict[str, float]


def run(name: str, mode: str, seconds: float) -> Figures:
    """One measurement of one server, on a fresh database."""
    port, code_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        command = [sys.executable, "-m", SERVERS[name], str(port), str(code_port), folder]
        server = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *command], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port, server)
            load = [sys.executable, "-m", "benchmarks.steps.load", mode, str(port), str(code_port)]
            done = subprocess.run(
                ["taskset", "-c", str(CLIENT_CORE), *load, str(CONNECTIONS), str(seconds)],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
        finally:
            server.terminate()
            server.wait(20)
    figures: Figures = json.loads(done.stdout)
    return figures


def compare(mode: str, rounds: int, seconds: float) -> None:
    table: dict[str, list[Figures]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        for name in SERVERS:
            table[name].append(run(name, mode, seconds))
    print(f"\n{MODES[mode]}, {CONNECTIONS} connections, SQLite")
    for name, measured in table.items():
        cells = [f"{key} {statistics.median(each[key] for each in measured):>9,.1f}" for key in measured[0]]
        print(f"  {name:<10} {'  '.join(cells)}")
    pairs = zip(table["ours"], table["starlette"], strict=True)
    ratio = statistics.median(ours["per_second"] / theirs["per_second"] for ours, theirs in pairs)
    print(f"  ratio      {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the registration by steps against its peer.")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    options = parser.parse_args()
    Path(ROOT / "build").mkdir(exist_ok=True)
    rounds, seconds = (1, 1.0) if options.quick else (5, 3.0)
    for mode in MODES:
        compare(mode, rounds, seconds)


if __name__ == "__main__":
    main()
