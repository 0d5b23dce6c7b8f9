"""`regserver restore FILE`: restores an archive of `regserver backup` to the configured place. The server must not run."""

import argparse
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from regserver.cli import CommandFault, configuration
from regserver.cli.backup import DATABASE, KEY, NOTE
from regserver.cli.store import StorePlace, store_place
from regserver.store.sqlite.copy import inspect_database


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="an archive of `regserver backup`")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an existing database; it and its key are renamed to .old",
    )


def run(chosen: argparse.Namespace) -> None:
    """Unpacks the archive."""
    place = store_place(configuration(chosen).settings)
    target = place.database
    if target.exists() and not chosen.force:
        raise CommandFault(
            f"{target}: there is a database already; stop the server and use --force to replace it"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".regserver-") as folder:
            _unpack(chosen.file, Path(folder))
            version = inspect_database(Path(folder) / DATABASE)
            _put(Path(folder), place)
    except tarfile.TarError as error:
        raise CommandFault(f"{chosen.file}: not an archive of regserver backup: {error}") from None
    except OSError as error:
        raise CommandFault(f"{error.filename or chosen.file}: {error.strerror}") from None
    print(f"{target}: restored, schema version {version}")


def _unpack(file: Path, folder: Path) -> None:
    """Writes the database and the key into `folder`. An archive with other members is refused."""
    with tarfile.open(file, "r:") as archive:
        if sorted(archive.getnames()) != sorted((NOTE, KEY, DATABASE)):
            raise CommandFault(f"{file}: not an archive of regserver backup")
        for name in (KEY, DATABASE):
            member = archive.extractfile(name)
            if member is None:
                raise CommandFault(f"{file}: {name} is no file")
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(member, copy)
                copy.flush()
                os.fsync(copy.fileno())


def _put(folder: Path, place: StorePlace) -> None:
    for path in (place.database, place.key):
        if path.exists():
            path.replace(path.with_name(path.name + ".old"))
    for suffix in ("-wal", "-shm"):  # SQLite would apply the old database's journal to the new one
        place.database.with_name(place.database.name + suffix).unlink(missing_ok=True)
    (folder / KEY).replace(place.key)
    (folder / DATABASE).replace(place.database)
