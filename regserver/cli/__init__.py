"""The command line. One module per command, one row per module in COMMANDS.

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration, 141 when the reader of standard output has gone. Results
go to standard output; a fault goes to standard error, in one line.

argparse without a library on top of it: a dozen commands need no more, and every start would have to import the library.
"""

import argparse
import errno
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from regserver.adapters.server_key import ServerKeyFault
from regserver.config import ConfigFault, Loaded
from regserver.config.load import Reading, read
from regserver.domain.finding import Finding
from regserver.ports.store import StoreFault

FINE = 0
FAILED = 1
MISUSED = 2
READER_GONE = 141
"""128 + SIGPIPE, as a shell reports for `cat` in the same case."""

NO_RIPEMD160 = (
    "this build of OpenSSL has no RIPEMD-160, which the registration by steps needs to check keys: "
    "use one of 3.0.7 or newer, without FIPS mode"
)

COMMANDS: dict[str, str] = {
    "serve": "run the server",
    "config": "check, show or write the configuration",
    "mail": "show the outbox, send messages again, try the mail server",
    "doctor": "check everything that the server needs, and say what to change",
    "backup": "write the database and the server's key to one archive, also while the server runs",
    "restore": "restore the database and the key from an archive",
    "migrate": "bring the database's schema up to date",
    "store": "move the store from SQLite to PostgreSQL",
    "ledger": "verify the ledger's journal",
    "steps": "list registrations by steps, show one, or unlock it",
    "invite": "make, list or revoke invitations to sign up",
    "user": "show an account or its sessions, end them, approve, delete, restore, export or import it",
    "webhook": "tell services of yours what happens here: add, list, switch off and on, remove and try them, deliver again",
    "room": "list rooms, show one with its members, remove a post or a member, close a room",
    "key": "make, list or revoke the keys of operators",
    "audit": "list what was done by whom, or verify that no row was changed",
    "limit": "show who has reached a limit, and let them go on",
    "server": "show whether the running server is well, and what it does",
    "reload": "let the running server read its settings again",
    "password": "make the hash of a password, for a roster or an import",
    "try": "knock at the four doors of a running server, and print each request with its answer",
    "source": "try the data source of live registrations by hand",
    "version": "show the version",
}
"""Each is a module regserver.cli.<name>.

run: (arguments) -> exit code, None for success. add(parser): adds the command's arguments, if it has any. Among the
arguments `misused` is a function that takes a message and ends the process as wrong usage.
"""


class CommandFault(Exception):
    """The command cannot do its work; the message is one line for the user. code: the exit code."""

    def __init__(self, detail: str, code: int = FAILED) -> None:
        super().__init__(detail)
        self.code = code


def main(arguments: Sequence[str]) -> int:
    """Runs one command line as the whole process; returns the exit code."""
    try:
        try:
            return run(arguments)
        finally:
            if sys.stdout is not None:  # None when the parent process closed it
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in {errno.EPIPE, errno.ENOSPC}:
            raise
        # The interpreter flushes once more at its end, and would report the same error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return (
            READER_GONE if error.errno == errno.EPIPE else _fail(f"standard output: {error.strerror}", FAILED)
        )


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns the exit code. argparse itself exits with 2 on wrong usage."""
    chosen = _parsed(arguments)
    if not gc.isenabled():  # see __main__.py
        gc.freeze()
        gc.enable()
    execute: Callable[[argparse.Namespace], int | None] = chosen.run
    try:
        return execute(chosen) or FINE
    except ConfigFault as fault:
        return _fail(fault, MISUSED)
    except CommandFault as fault:
        return _fail(fault, fault.code)
    except (StoreFault, ServerKeyFault) as fault:
        return _fail(fault, FAILED)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command, whose module alone is imported: `regserver version` shall load no web server."""
    parser = argparse.ArgumentParser(
        prog="regserver",
        description="Registration server: live sign-up, rooms, registration steps and a directory behind one port.",
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    if [*arguments[:1]] == ["--version"]:  # as most programs have it
        arguments = ["version", *arguments[1:]]
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    given = {*arguments[:1]} & COMMANDS.keys()
    for name in given or COMMANDS:  # all of them only for who is told them: each parser takes a millisecond
        summary = COMMANDS[name]
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        add_common(command)
        if given:
            module = importlib.import_module(f"regserver.cli.{name}")
            if hasattr(module, "add"):
                module.add(command)
            command.set_defaults(run=module.run, misused=command.error)
    return parser.parse_args(arguments)


def _fail(fault: Exception | str, code: int) -> int:
    for line in str(fault).splitlines():
        print(f"regserver: {line}", file=sys.stderr)
    return code


def add_common(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that every command takes."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="configuration file (default: ./regserver.toml, then /etc/regserver/regserver.toml, then built-in values)",
    )
    parser.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="override one setting; may be repeated",
    )


def report(findings: Iterable[Finding], part: str = "") -> int:
    """Prints findings as they come; returns FAILED if one is a failure, else FINE. part: what was checked."""
    code = FINE
    for finding in findings:
        failed = finding.level == "fail"
        code = FAILED if failed else code
        print(
            f"{'FAIL' if failed else finding.level:4} {part}{': ' if part else ''}{finding.text}", flush=True
        )
    return code


def configuration(chosen: argparse.Namespace) -> Loaded:
    """The configuration that the command line names. Raises ConfigFault."""
    return reading(chosen).refuse()


def reading(chosen: argparse.Namespace) -> Reading:
    """The same with all that is wrong in it. Raises ConfigFault where the file is no TOML."""
    return read(chosen.config, chosen.overrides)
