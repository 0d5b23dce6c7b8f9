"""Rounds of a measurement and what is made of them: medians, ratios, verdicts.

Whatever is compared takes its turns within each round, so that what else the machine does meets all of it.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = dict[str, Any]
"""What one run has found: a number by its name. A list holds samples, until they are pooled."""

BEFORE = "before"
"""What an earlier version is called: `before`, or `before NAME` where several things are compared with it."""

Table = Mapping[str, list[Figures]]
"""What was compared, by name: a row for each round."""


def rounds(runs: Mapping[str, Callable[[], Figures]], count: int) -> Table:
    """Runs each of them so many times, in turns."""
    table: dict[str, list[Figures]] = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            table[name].append(run())
    return table


def median(table: Table, name: str, figure: str) -> float:
    middle: float = statistics.median(row[figure] for row in table[name])
    return middle


def ratio(table: Table, figure: str, one: str, other: str) -> float:
    """Of one to the other: the median of the rounds' own ratios, since both were measured close together."""
    pairs = zip(table[one], table[other], strict=True)
    middle: float = statistics.median(row[figure] / against[figure] for row, against in pairs)
    return middle


def pool(table: Table, samples: str, stem: str) -> Table:
    """Puts p50 and p99 of the samples of all rounds together into every row, and takes the samples out.

    A round's own p99 is little more than its slowest sample. As each row has the same figures then, their medians and
    ratios are those of the pools.
    """
    for rows in table.values():
        everything = sorted(sample for row in rows for sample in row.pop(samples))
        for row in rows:
            for percent in (50, 99):
                row[f"{stem}_p{percent}_us"] = everything[(len(everything) - 1) * percent // 100]
    return table


def report(title: str, table: Table, figures: Sequence[str]) -> None:
    """Prints a row of medians for each name; behind each the ratio to the earlier version, if that was measured."""
    print(f"\n{title}")
    width = max(map(len, table))
    for name in table:
        cells = "  ".join(f"{figure} {_cell(table, name, figure)}" for figure in figures)
        print(f"  {name:<{width}}  {cells}", flush=True)


def _cell(table: Table, name: str, figure: str) -> str:
    cell = f"{median(table, name, figure):>10,.1f}"
    earlier = f"{BEFORE} {name}" if f"{BEFORE} {name}" in table else BEFORE
    if name.startswith(BEFORE):
        return cell + " " * len(" (0.00)")
    if earlier not in table:
        return cell
    return f"{cell} ({ratio(table, figure, name, earlier):.2f})"


def verdict(what: str, value: float, bound: float, *, at_most: bool = False) -> None:
    """Prints whether a bound holds."""
    met = value <= bound if at_most else value >= bound
    sign = "at most" if at_most else "at least"
    print(f"  {'yes' if met else 'NO '}  {what}: {value:,.2f} ({sign} {bound:,})", flush=True)


def note(what: str, value: float) -> None:
    """Prints a figure that has no bound."""
    print(f"       {what}: {value:,.2f}", flush=True)
