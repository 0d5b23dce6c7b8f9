"""The command line of a measurement that has parts: --quick for one short round of each, --only for one of them."""

import argparse
from collections.abc import Callable, Mapping

Parts = Mapping[str, Callable[[], None]]


def run_parts(name: str, description: str, parts: Callable[[bool], Parts]) -> None:
    """parts: the parts by name, given whether it is to be quick; nothing runs before it is called."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=description)
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--only", choices=list(parts(True)), help="one part")
    chosen = parser.parse_args()
    for part, run in parts(chosen.quick).items():
        if chosen.only in (None, part):
            run()
