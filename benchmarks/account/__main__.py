"""Measures accounts: python -m benchmarks.account [--quick]

Server and client have a core each. Three bounds are held: a sign-in by passkey costs a tenth of the processor time of one by password at
most; POST /login costs no more than in an earlier version (BEFORE=CHECKOUT in the environment), beside the cheapest hash that there
is, as the shipped one would hide the rest; and an export of very many posts keeps the server's memory.
"""

import os
from functools import partial

from benchmarks.account import export, sign_in
from benchmarks.checkout import checkouts
from benchmarks.part import Parts, run_parts
from benchmarks.process import CLIENT_CORE
from benchmarks.table import BEFORE, median, note, ratio, report, rounds, verdict

NOISE = 1.05
"""What two runs of the same code differ by."""


def passkeys(count: int, passwords: int, keys: int) -> None:
    runs = {
        "password": partial(sign_in.measure_password, passwords),
        "passkey": partial(sign_in.measure_passkey, keys),
    }
    table = rounds(runs, count)
    title = f"Sign-ins with the hash as it is shipped, {sign_in.CONNECTIONS} connections, one core"
    report(title, table, ("per_second", "cpu_ms"))
    share = ratio(table, "cpu_ms", "passkey", "password")
    verdict("processor time by passkey, with its challenge, to that by password", share, 0.1, at_most=True)


def passwords(count: int, turns: int) -> None:
    runs = {
        name: partial(sign_in.measure_password, turns, checkout, *sign_in.CHEAPEST)
        for name, checkout in checkouts("POST /login").items()
    }
    table = rounds(runs, count)
    report("Sign-ins by password with the cheapest hash", table, ("per_second", "cpu_ms"))
    if BEFORE in table:
        share = ratio(table, "cpu_ms", "POST /login", BEFORE)
        verdict("processor time of POST /login to the earlier version", share, NOISE, at_most=True)


def exports(count: int, posts: int) -> None:
    table = rounds({"export": partial(export.measure, posts)}, count)
    figures = ("seconds", "cpu_seconds", "mib", "grown_mib", "p99_ms", "p99_quiet_ms")
    report(f"An export of {posts:,} posts, while somebody else asks", table, figures)
    verdict(
        "memory that it takes beside the database's caches, MiB",
        median(table, "export", "grown_mib"),
        8.0,
        at_most=True,
    )
    note("p99 of others, ms", median(table, "export", "p99_ms"))


def parts(quick: bool) -> Parts:
    count = 1 if quick else 5
    return {
        "passkeys": partial(passkeys, count, 40 if quick else 120, 200 if quick else 800),
        "passwords": partial(passwords, count, 400 if quick else 2000),
        "export": partial(exports, count, 20_000 if quick else 100_000),
    }


if __name__ == "__main__":
    os.sched_setaffinity(0, {CLIENT_CORE})  # the clients are tasks of this process
    run_parts("benchmarks.account", "Measure accounts.", parts)
