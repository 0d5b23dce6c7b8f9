"""Measures the directory: python -m benchmarks.directory [--quick]

Server and client have a core each. Two bounds are held: sign-ups reach 0.85 of what the password hash alone allows,
and lookups cost at most 1.2 times as much with a million accounts as with ten.
"""

import os
from functools import partial

from benchmarks.directory import lookup, sign_up
from benchmarks.part import Parts, run_parts
from benchmarks.process import CLIENT_CORE
from benchmarks.table import median, ratio, report, rounds, verdict

ACCOUNTS = (10, 10_000, 1_000_000)


def sign_ups(rounds_count: int, count: int) -> None:
    table = rounds({"sign-ups": partial(sign_up.measure, count)}, rounds_count)
    report(
        "Sign-ups, from /init over a mail by SMTP to the confirmation, on one core",
        table,
        ("per_second", "cpu_ms", "hash_ms"),
    )
    verdict("of what the bare hash allows", median(table, "sign-ups", "of_the_hash"), 0.85)


def lookups(rounds_count: int, seconds: float) -> None:
    table = lookup.measure(ACCOUNTS, seconds, rounds_count)
    report("Lookups by name, 8 connections, one core", table, ("per_second", "cpu_us"))
    for route in lookup.ROUTES:
        many, few = lookup.name_of(route, ACCOUNTS[-1]), lookup.name_of(route, ACCOUNTS[0])
        growth = ratio(table, "cpu_us", many, few)
        verdict(f"cost of {route} with a million to with ten", growth, 1.2, at_most=True)


def parts(quick: bool) -> Parts:
    count = 1 if quick else 5
    return {
        "sign-ups": partial(sign_ups, count, 60 if quick else 200),
        "lookups": partial(lookups, count, 1.0 if quick else 4.0),
    }


if __name__ == "__main__":
    os.sched_setaffinity(0, {CLIENT_CORE})  # the clients are tasks of this process
    run_parts("benchmarks.directory", "Measure the directory.", parts)
