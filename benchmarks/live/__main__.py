"""python -m benchmarks.live [--count 1000] [--seconds 10] [--observers 2] [--rounds 1] [--per-second 90]

COUNT registrations at once against a tenth of them, each with its observers and a source that takes SECONDS. The
server has one core, its clients and the source the other.
"""

import argparse
from functools import partial

from benchmarks.live.measure import STEPS, measure
from benchmarks.table import Table, median, rounds

ROWS = (
    ("cpu_ms", "CPU per registration", "ms"),
    ("kib", "memory per running registration", "KiB"),
    ("sign_in_ms", "sign-in, median", "ms"),
    ("first_ms", "first event after the handshake began, median", "ms"),
    ("first_p99_ms", "the same, 99th percentile", "ms"),
    ("delivery_ms", "line written → event read, median", "ms"),
    ("delivery_p99_ms", "the same, 99th percentile", "ms"),
    ("wall_ms", "longest step of the loop, by the wall clock", "ms"),
    ("own_ms", "longest step of the loop, by its own clock", "ms"),
    ("work_ms", "the same without the garbage collector", "ms"),
    ("collector_ms", "longest run of the garbage collector", "ms"),
)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--observers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=90, help="sign-ins a second")
    return parser.parse_args()


def show(table: Table) -> None:
    """A column for each count, since what an operator can rely on is how they compare."""
    few, many = table
    print(f"{'at once':>50} {few:>10} {many:>10}      ratio")
    for key, text, unit in ROWS:
        low, high = median(table, few, key), median(table, many, key)
        print(f"{text:>50} {low:>10,.2f} {high:>10,.2f} {unit:<4} {high / low if low else 0:>5.2f}")
    print(f"{'the task of the longest step without it':>50} {table[many][-1]['task']}")


def main() -> None:
    chosen = options()
    sizes = (max(1, chosen.count // 10), chosen.count)
    each = (chosen.per_second, chosen.seconds, chosen.observers)
    table = rounds({f"{size:,}": partial(measure, size, *each) for size in sizes}, chosen.rounds)
    print(
        f"{chosen.observers} observers each, a source that takes {chosen.seconds:g} s in {STEPS} steps, "
        f"{chosen.per_second:g} sign-ins a second, medians of {chosen.rounds}"
    )
    show(table)


if __name__ == "__main__":
    main()
