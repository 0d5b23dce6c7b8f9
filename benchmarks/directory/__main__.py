"""Measures the directory: python -m benchmarks.directory [--quick]

Server and client have a core each. Two bounds are held: sign-ups reach 0.85 of what the password hash alone allows,
and lookups cost at most 1.2 times as much with a million accounts as with ten.
"""

import argparse
import os
import statistics

from benchmarks.directory import lookup, sign_up
from benchmarks.directory.server import CLIENT_CORE

ACCOUNTS = (10, 10_000, 1_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.directory")
    parser.add_argument("--quick", action="store_true", help="shorter, for a look")
    quick = parser.parse_args().quick
    os.sched_setaffinity(0, {CLIENT_CORE})
    sign_ups(1 if quick else 5, 60 if quick else 200)
    lookups(1 if quick else 5, 1.0 if quick else 4.0)


def sign_ups(rounds: int, count: int) -> None:
    print("Sign-ups, from /init over a mail by SMTP to the confirmation, on one core")
    ratios = []
    for _ in range(rounds):
        found = sign_up.measure(count)
        ratios.append(found.of_the_hash)
        print(
            f"  {found.per_second:6.1f}/s  {found.cpu_ms:6.2f} ms each, of which the hash {found.hash_ms:6.2f} ms"
            f"  {found.of_the_hash:.2f}"
        )
    verdict("of what the bare hash allows", statistics.median(ratios), 0.85, at_most=False)


def lookups(rounds: int, seconds: float) -> None:
    print("\nLookups by name, 8 connections, one core")
    found = lookup.measure(ACCOUNTS, seconds, rounds)
    for (route, count), figures in found.items():
        rate = statistics.median(figure.per_second for figure in figures)
        cpu = statistics.median(figure.cpu_us for figure in figures)
        print(f"  {route:6}  {count:>9,} accounts  {rate:8,.0f}/s  {cpu:6.1f} µs of the server's core each")
    for route in ("check", "server"):
        pairs = zip(found[route, ACCOUNTS[-1]], found[route, ACCOUNTS[0]], strict=True)
        growth = statistics.median(many.cpu_us / few.cpu_us for many, few in pairs)
        verdict(f"cost of {route} with a million to with ten", growth, 1.2, at_most=True)


def verdict(what: str, value: float, bound: float, *, at_most: bool) -> None:
    met = value <= bound if at_most else value >= bound
    print(
        f"  {'yes' if met else 'NO '}  {what}: {value:.2f} ({'at most' if at_most else 'at least'} {bound})"
    )


if __name__ == "__main__":
    main()
