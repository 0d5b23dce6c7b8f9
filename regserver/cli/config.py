"""`regserver config check|init|show`: finds mistakes, writes the annotated default, prints the settings in force."""

import argparse
import os
from importlib.resources import files
from pathlib import Path

from regserver.app.preflight import checked
from regserver.cli import CommandFault, configuration, reading
from regserver.config import show


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("check", "init", "show"),
        help="check: find mistakes in the settings and in the files they name; init: print the annotated default, or write it to PATH; show: print the settings in force, secrets masked",
    )
    parser.add_argument(
        "path", metavar="PATH", nargs="?", type=Path, help="init: the file to write; it must not exist"
    )


def run(chosen: argparse.Namespace) -> None:
    """Checks, writes or shows the configuration."""
    match chosen.action:
        case "check":
            loaded = checked(reading(chosen))
            print(f"{loaded.file or 'built-in defaults'}: fine")
        case "show":
            print("\n".join(show(configuration(chosen).settings)).lstrip())
        case _:
            _init(chosen.path)


def annotated() -> str:
    """The annotated default configuration; config/regserver.toml in the repository is the same file."""
    return (files("regserver") / "config" / "regserver.toml").read_text("utf-8")


def _init(path: Path | None) -> None:
    if path is None:
        print(annotated(), end="")
        return
    try:
        # Passwords and keys will be written into it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(annotated().encode())
    except OSError as error:
        raise CommandFault(f"{path}: {error.strerror}") from None
    print(f"{path}: written; change what you need and run: regserver serve --config {path}")
