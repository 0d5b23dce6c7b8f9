"""`regserver config check|init|show`: finds mistakes, writes the annotated default, prints the settings in force."""

import argparse
import os
import time
from importlib.resources import files
from pathlib import Path

import trio

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.ledger import check_chain
from regserver.adapters.server_key import KEY_BYTES, ServerKey
from regserver.adapters.source import open_source
from regserver.app.assembly import build_limits
from regserver.app.base import build_mail_templates, build_pepper
from regserver.cli import CommandFault, configuration
from regserver.config import ConfigFault, Loaded, show
from regserver.group import unwrapped
from regserver.serving import BindError
from regserver.serving.listener import load_tls


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
            loaded = configuration(chosen)
            _check(loaded)
            print(f"{loaded.file or 'built-in defaults'}: fine")
        case "show":
            print("\n".join(show(configuration(chosen).settings)).lstrip())
        case _:
            _init(chosen.path)


def _check(loaded: Loaded) -> None:
    """Builds every part that needs neither the store nor the network. Raises ConfigFault as `serve` does."""
    settings = loaded.settings
    build_limits(settings, time.monotonic)
    if settings.server.tls_cert:
        try:
            load_tls(
                str(loaded.resolve(settings.server.tls_cert)), str(loaded.resolve(settings.server.tls_key))
            )
        except BindError as error:
            raise ConfigFault(f"server.tls_cert: {error.address}: {error.reason}") from None
    build_pepper(settings, ServerKey(bytes(KEY_BYTES)))
    if settings.ledger.kind == "antelope":
        check_chain(settings.ledger.antelope)
    build_mail_templates(loaded)
    with unwrapped(ConfigFault):
        trio.run(_check_source, loaded)


async def _check_source(loaded: Loaded) -> None:
    """Opens the source, which reads its settings and a roster's rows, without the network."""
    hasher = Argon2Hasher(time_cost=1, memory=1 << 20, parallelism=1, max_memory=1 << 20)
    async with open_source(loaded, hasher):
        pass


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
