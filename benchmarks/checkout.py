"""The code under measurement, and an earlier version of it beside: `make bench-front BEFORE=../its-checkout`.

The earlier version stands in a checkout with an environment of its own (`make .venv/.test` there). Its servers are its own
modules of the same names, started by its own Python; clients and tables are always those of this checkout.
"""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.table import BEFORE, Figures

ROOT = Path(__file__).parents[1]


class Checkout(msgspec.Struct, frozen=True):
    """A version of the project.

    Args:
        folder: Its top folder, in which its processes run.
        python: Its interpreter, which finds its packages.
    """

    folder: Path
    python: str


THIS = Checkout(ROOT, sys.executable)


def find_earlier() -> Checkout | None:
    """Returns the checkout that the environment names in BEFORE, if it names one. Raises RuntimeError if it cannot run."""
    if not (name := os.environ.get("BEFORE")):
        return None
    folder = Path(name).resolve()
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        raise RuntimeError(f"{python} is not there: run 'make .venv/.test' in {folder}")
    return Checkout(folder, str(python))


def checkouts(name: str) -> dict[str, Checkout]:
    """Returns this checkout under a contender's name, and the earlier one beside it."""
    earlier = find_earlier()
    return {name: THIS} | ({BEFORE: earlier} if earlier else {})


def with_earlier(runs: Mapping[str, partial[Figures]]) -> dict[str, Callable[[], Figures]]:
    """Adds to each measurement the same function of the earlier checkout, run there with the same arguments."""
    earlier = find_earlier()
    table: dict[str, Callable[[], Figures]] = {}
    for name, run in runs.items():
        table[name] = run
        if earlier:
            table[f"{BEFORE} {name}"] = partial(_run_in, earlier, run)
    return table


def _run_in(checkout: Checkout, run: partial[Figures]) -> Figures:
    module = inspect.getmodule(run.func)
    assert module is not None
    assert module.__spec__ is not None  # whose name is not __main__ where a package is run
    call = json.dumps([module.__spec__.name, run.func.__name__, *run.args])
    words = [checkout.python, "-c", _CALL, call]
    figures: Figures = json.loads(
        subprocess.run(words, cwd=checkout.folder, check=True, stdout=subprocess.PIPE).stdout
    )
    return figures


_CALL = """
import importlib, json, sys
module, name, *arguments = json.loads(sys.argv[1])
print(json.dumps(getattr(importlib.import_module(module), name)(*arguments)))
"""
