"""`regserver config check|init|show`: finds mistakes, writes the annotated default, prints the settings in force."""

import argparse
import os
from importlib.resources import files
from pathlib import Path

from regserver.app.preflight import checked
from regserver.cli import FINE, MISUSED, CommandFault, configuration, reading
from regserver.cli.told import Told, tell
from regserver.config import ConfigFault, Loaded, masked, show


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("check", "init", "show"),
        help="check: find mistakes in the settings and in the files they name; init: print the annotated default, or write it to PATH; show: print the settings in force, secrets masked",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "path", metavar="PATH", nargs="?", type=Path, help="init: the file to write; it must not exist"
    )


def run(chosen: argparse.Namespace) -> int:
    """Checks, writes or shows the configuration."""
    match chosen.action:
        case "check":
            return _check(chosen)
        case "show":
            loaded = configuration(chosen)
            lines = tuple("\n".join(show(loaded.settings)).lstrip().split("\n"))
            tell(chosen, Told(lines, {"file": _named(loaded), "settings": masked(loaded.settings)}))
        case _:
            _init(chosen)
    return FINE


def _check(chosen: argparse.Namespace) -> int:
    """MISUSED where something is wrong. Raises ConfigFault, which says what, unless JSON is wanted."""
    try:
        loaded = checked(reading(chosen))
    except ConfigFault as fault:
        if not chosen.json:
            raise
        tell(chosen, Told((), {"fine": False, "faults": fault.faults}))
        return MISUSED
    line = f"{loaded.file or 'built-in defaults'}: fine"
    tell(chosen, Told((line,), {"fine": True, "file": _named(loaded), "faults": []}))
    return FINE


def _named(loaded: Loaded) -> str | None:
    """The file; None for the built-in defaults."""
    return None if loaded.file is None else str(loaded.file)


def annotated() -> str:
    """The annotated default configuration; config/regserver.toml in the repository is the same file."""
    return (files("regserver") / "config" / "regserver.toml").read_text("utf-8")


def _init(chosen: argparse.Namespace) -> None:
    path: Path | None = chosen.path
    if path is None:
        tell(chosen, Told((annotated().removesuffix("\n"),), {"file": None, "text": annotated()}))
        return
    try:
        # Passwords and keys will be written into it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(annotated().encode())
    except OSError as error:
        raise CommandFault(f"{path}: {error.strerror}") from None
    line = f"{path}: written; change what you need and run: regserver serve --config {path}"
    tell(chosen, Told((line,), {"file": str(path), "text": annotated()}))
