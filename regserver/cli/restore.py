"""`regserver restore FILE`: restores an archive of `regserver backup` to the configured place. The server must not run."""

import argparse
import itertools
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from regserver.cli import CommandFault, configuration
from regserver.cli.backup import DATABASE, KEY, NOTE
from regserver.cli.store import StorePlace, store_place
from regserver.store.sqlite import held
from regserver.store.sqlite.copy import close_database, inspect_database, log_file


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="an archive of `regserver backup`")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an existing database; it and its key are renamed to .old, or .old2",
    )


def run(chosen: argparse.Namespace) -> None:
    """Unpacks the archive."""
    place = store_place(configuration(chosen).settings)
    target = place.database
    if (target.exists() or _size(log_file(target))) and not chosen.force:
        raise CommandFault(
            f"{target}: there is a database already; stop the server and use --force to replace it"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with held(target), tempfile.TemporaryDirectory(dir=target.parent, prefix=".regserver-") as folder:
            _unpack(chosen.file, Path(folder))
            version = inspect_database(Path(folder) / DATABASE)
            _put(Path(folder), place)
    except tarfile.TarError as error:
        raise CommandFault(f"{chosen.file}: not an archive of regserver backup: {error}") from None
    except OSError as error:
        raise CommandFault(f"{error.filename or chosen.file}: {error.strerror}") from None
    print(f"{target}: restored, schema version {version}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _unpack(file: Path, folder: Path) -> None:
    """Writes the database and the key into `folder`. An archive with other members is refused."""
    with tarfile.open(file, "r:") as archive:
        if sorted(archive.getnames()) != sorted((NOTE, KEY, DATABASE)):
            raise CommandFault(f"{file}: not an archive of regserver backup")
        for name in (KEY, DATABASE):
            # A link's target is not in the archive, and may be any file of this machine.
            member = archive.extractfile(name) if archive.getmember(name).isreg() else None
            if member is None:
                raise CommandFault(f"{file}: {name} is no file: make the archive with `regserver backup`")
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(member, copy)
                copy.flush()
                os.fsync(copy.fileno())


def _put(folder: Path, place: StorePlace) -> None:
    _set_aside(place)
    (folder / KEY).replace(place.key)
    (folder / DATABASE).replace(place.database)
    descriptor = os.open(place.database.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # or the new names may be lost with the power
    finally:
        os.close(descriptor)


def _set_aside(place: StorePlace) -> None:
    """Renames what is there, whole: nothing of it is deleted, and no earlier copy is replaced."""
    log = log_file(place.database)
    if place.database.exists():
        # A damaged database keeps its log, under a name by which SQLite finds it again.
        with suppress(sqlite3.DatabaseError):
            close_database(place.database)
    # The log goes first: SQLite would apply it to the new database.
    parts = [path for path in (log, place.database, place.key) if path.exists()]
    old = next(word for word in _old() if not any(_aside(path, place, word).exists() for path in parts))
    for path in parts:
        path.replace(_aside(path, place, old))
    place.database.with_name(f"{place.database.name}-shm").unlink(missing_ok=True)  # an index of the log


def _aside(path: Path, place: StorePlace, old: str) -> Path:
    """Where a file goes: `x.db` to `x.db.old`, and its log `x.db-wal` to `x.db.old-wal`."""
    if path == log_file(place.database):
        return log_file(place.database.with_name(place.database.name + old))
    return path.with_name(path.name + old)


def _old() -> Iterator[str]:
    """`.old`, `.old2`, `.old3`, …"""
    yield ".old"
    yield from (f".old{number}" for number in itertools.count(2))
