"""`regserver password hash`: the hash of a password, for a roster or an import."""

import argparse
import getpass
import sys

import msgspec
import trio

from regserver.adapters.argon2_hasher import build_hasher
from regserver.cli import CommandFault, configuration


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("hash",),
        help="hash: print the argon2id hash of a password, at the cost that is configured. It is asked for twice without being"
        " shown, or read from standard input, as one line",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Reads the password, and prints its hash."""
    settings = configuration(chosen).settings
    password = ask_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandFault("there is no password on standard input")
    encoded = trio.run(build_hasher(settings.password).hash, password)
    print(msgspec.json.encode({"passwordHash": encoded}).decode() if chosen.json else encoded)


def ask_password() -> str:
    """Asks for it twice, without showing it. Raises CommandFault where the two differ."""
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise CommandFault("the two passwords differ")
    return password
