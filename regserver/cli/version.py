"""`regserver version`: prints the version."""

import argparse
import platform

from regserver import __version__


def run(chosen: argparse.Namespace) -> None:
    """Prints the version."""
    print(f"regserver {__version__} (Python {platform.python_version()})")
