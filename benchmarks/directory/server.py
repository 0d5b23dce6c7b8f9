"""The product as the measurements of the directory start it: with the shipped password cost and a full log."""

from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.process import Server
from benchmarks.product import product


def serving(folder: Path, *settings: str) -> AbstractContextManager[Server]:
    """The database, the key and the log are in `folder`."""
    return product(folder / "bench.db", "log.level=info", *settings, log=folder / "log")
