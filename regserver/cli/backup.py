"""`regserver backup FILE`: the database and the server's key in one archive, also while the server runs.

`regserver.store.archive` says what is in it. FILE is `-` for standard output; `--check` reads one instead.
"""

import argparse
import sys
from pathlib import Path
from typing import TextIO

import msgspec

from regserver.app.assemble_backup import archive_parts
from regserver.cli import MISUSED, CommandFault
from regserver.cli.store import existing_place
from regserver.domain.instant import Instant, iso_seconds
from regserver.ports.backup import BackupFault
from regserver.ports.store_dump import DumpFacts
from regserver.store.archive import ArchiveParts, InspectDump, check_archive, write_file, write_stream
from regserver.store.postgres import postgres_dump
from regserver.store.sqlite import dump as sqlite_dump

STANDARD_OUTPUT = Path("-")
INSPECTORS: dict[str, InspectDump] = {
    sqlite_dump.MEMBER: sqlite_dump.inspect_copy,
    postgres_dump.MEMBER: postgres_dump.inspect_dump,
}
"""The checks of a dump, by its name in the archive."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="the archive to write, which must not exist; - for standard output",
    )
    parser.add_argument(
        "--check", action="store_true", help="read FILE instead: is it whole, could it be restored"
    )
    parser.add_argument("--json", action="store_true", help="with --check: what is in FILE as JSON")


def run(chosen: argparse.Namespace) -> None:
    """Writes or checks an archive."""
    try:
        if chosen.check:
            _check(chosen)
        else:
            _write(archive_parts(existing_place(chosen)), chosen.file)
    except BackupFault as fault:
        raise CommandFault(str(fault)) from None


def _write(parts: ArchiveParts, target: Path) -> None:
    if target == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise CommandFault(
                "standard output is a terminal: send the archive to a file or a program", MISUSED
            )
        _told(write_stream(parts, sys.stdout.buffer), "standard output: written", sys.stderr)
        return
    if target.exists():
        raise CommandFault(f"{target}: File exists")
    if not target.parent.is_dir():
        raise CommandFault(f"{target.parent}: no such folder")
    facts = write_file(parts, target)
    _told(facts, f"{target}: written, {target.stat().st_size} bytes", sys.stdout)


def _told(facts: DumpFacts, first: str, output: TextIO) -> None:
    print(f"{first}, schema version {facts.schema}", file=output)
    if facts.entries:
        print(f"the ledger has {facts.entries} entries; last hash {facts.last_hash}", file=output)


def _check(chosen: argparse.Namespace) -> None:
    file: Path = chosen.file
    note = check_archive(file, INSPECTORS, file.absolute().parent)
    if chosen.json:
        print(msgspec.json.encode(note).decode())
        return
    made = iso_seconds(Instant(note.at * 1000))
    print(f"{file}: whole, made {made} by regserver {note.regserver}, schema version {note.schema}")
    if note.ledger.entries:
        print(f"the ledger has {note.ledger.entries} entries; last hash {note.ledger.last_hash}")
