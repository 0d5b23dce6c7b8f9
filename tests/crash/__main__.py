"""Kills the started server under load and checks what it promised: python -m tests.crash --kills 200 [--seed N]"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import trio

from tests.crash.checker import Checker


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill the server under load; check what it promised.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of when, what and whom")  # noqa: S311
    options = parser.parse_args()
    started = time.monotonic()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(Path(folder), options.seed)
        trio.run(checker.run, options.kills)
    print(f"{checker.report()}; {time.monotonic() - started:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
