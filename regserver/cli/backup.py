"""`regserver backup FILE`: the database and the server's key in one archive, also while the server runs.

A tar archive of three members: the database, the server's own key, and a note about the program that wrote it. With the
key one can read waiting mail and compare contacts, so only the file's owner may read it. The note has the end of the
ledger's journal, which proves later that no entry before it was rewritten.
"""

import argparse
import io
import json
import os
import tarfile
import tempfile
import time
from pathlib import Path

from regserver import __version__
from regserver.cli import CommandFault
from regserver.cli.store import existing_place
from regserver.config import PostgresPlace
from regserver.store.sqlite.copy import copy_database, inspect_database, ledger_end

DATABASE = "regserver.db"
KEY = "regserver.key"
NOTE = "backup.json"


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the archive to write; it must not exist")


def run(chosen: argparse.Namespace) -> None:
    """Writes the archive."""
    place = existing_place(chosen)
    if isinstance(place, PostgresPlace):
        raise CommandFault(f"{place}: pg_dump makes its backups; keep {place.key} with them")
    target: Path = chosen.file
    if target.exists():
        raise CommandFault(f"{target}: File exists")
    if not target.parent.is_dir():
        raise CommandFault(f"{target.parent}: no such folder")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".regserver-") as folder:
            copy = Path(folder) / DATABASE
            copy_database(place.database, copy)
            version = inspect_database(copy)
            draft = Path(folder) / "draft"
            entries, head = ledger_end(copy)
            note = {"schema": version, "ledger": {"entries": entries, "last_hash": head}}
            _pack(draft, copy, place.key, note)
            os.link(draft, target)  # the whole archive or nothing, and never over another file
    except OSError as error:
        raise CommandFault(f"{error.filename or target}: {error.strerror}") from None
    print(f"{target}: written, {target.stat().st_size} bytes, schema version {version}")
    if entries:
        print(f"the ledger has {entries} entries; last hash {head}")


def _pack(draft: Path, database: Path, key: Path, facts: dict[str, object]) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:  # the key may be a link
            note = json.dumps({"regserver": __version__, "at": int(time.time()), **facts}).encode()
            member = tarfile.TarInfo(NOTE)
            member.size, member.mode = len(note), 0o600
            archive.addfile(member, io.BytesIO(note))
            archive.add(key, KEY)
            archive.add(database, DATABASE)
        file.flush()
        os.fsync(file.fileno())
