"""`regserver version`: prints the version."""

import argparse
import platform

from regserver import __version__
from regserver.cli import FINE


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    print(f"regserver {__version__} (Python {platform.python_version()})")
    return FINE
