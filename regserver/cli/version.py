"""`regserver version` or `regserver --version`: prints the version."""

import argparse
import platform

from regserver import __version__
from regserver.cli.told import Told, tell


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Prints the version."""
    python = platform.python_version()
    value = {"version": __version__, "python": python}
    tell(chosen, Told((f"regserver {__version__} (Python {python})",), value))
