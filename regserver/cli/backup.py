"""`regserver backup FILE`: the database and the server's key in one archive, also while the server runs.

`regserver.store.archive` says what is in it. FILE is `-` for standard output; `--check` reads one instead.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

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
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON; of an archive that goes to standard output, to standard error",
    )


def run(chosen: argparse.Namespace) -> None:
    """Writes or checks an archive."""
    try:
        if chosen.check:
            _check(chosen)
        else:
            _write(archive_parts(existing_place(chosen)), chosen.file, in_json=chosen.json)
    except BackupFault as fault:
        raise CommandFault(str(fault)) from None


def _write(parts: ArchiveParts, target: Path, *, in_json: bool) -> None:
    if target == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise CommandFault(
                "standard output is a terminal: send the archive to a file or a program", MISUSED
            )
        facts = write_stream(parts, sys.stdout.buffer)
        lines = _lines(facts, "standard output: written")
        print(_in_json(facts, None) if in_json else "\n".join(lines), file=sys.stderr)
        return
    if target.exists():
        raise CommandFault(f"{target}: File exists")
    if not target.parent.is_dir():
        raise CommandFault(f"{target.parent}: no such folder")
    facts = write_file(parts, target)
    first = f"{target}: written, {target.stat().st_size} bytes"
    print(_in_json(facts, target) if in_json else "\n".join(_lines(facts, first)))


def _lines(facts: DumpFacts, first: str) -> Iterator[str]:
    yield f"{first}, schema version {facts.schema}"
    if facts.entries:
        yield f"the ledger has {facts.entries} entries; last hash {facts.last_hash}"


def _in_json(facts: DumpFacts, target: Path | None) -> str:
    """target: None for standard output."""
    file = {} if target is None else {"file": str(target), "bytes": target.stat().st_size}
    ledger = {"entries": facts.entries, "last_hash": facts.last_hash}  # as in the archive's note
    return msgspec.json.encode({**file, "schema": facts.schema, "ledger": ledger}).decode()


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
