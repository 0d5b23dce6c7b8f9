"""Kills the started server under load and checks its guarantees: python -m tests.crash [--accounts | --client | --nodes] --kills 200 [--seed N]"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import trio

from tests.crash.account_checker import AccountChecker
from tests.crash.checker import Checker
from tests.crash.client_checker import ClientChecker
from tests.crash.node_checker import NodeChecker

KINDS: dict[str, type[Checker | AccountChecker | ClientChecker]] = {
    "rooms": Checker,
    "accounts": AccountChecker,
    "client": ClientChecker,
    "nodes": NodeChecker,
}


def progress(done: int, kills: int) -> None:
    if done % 20 == 0:
        print(f"{done} of {kills}", file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill the server under load; check what it promised.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of when, what and whom")  # noqa: S311
    kind = parser.add_mutually_exclusive_group()
    for name, shown in (
        ("accounts", "changes of accounts, in place of rooms"),
        ("client", "under regserver.client, in place of rooms"),
        ("nodes", "rooms on two nodes, and their PostgreSQL"),
    ):
        kind.add_argument(f"--{name}", dest="kind", action="store_const", const=name, help=shown)
    options = parser.parse_args()
    started = time.monotonic()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    folder = tempfile.mkdtemp(prefix="crash-")
    checker = KINDS[options.kind or "rooms"](Path(folder), options.seed)
    try:
        trio.run(checker.run, options.kills, progress)
    except BaseException:
        print(f"after {checker.kills} kills; the database is in {folder}", file=sys.stderr)  # noqa: T201
        raise
    shutil.rmtree(folder)
    print(f"{checker.report()}; {time.monotonic() - started:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
