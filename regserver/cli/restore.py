"""`regserver restore FILE`: restores an archive of `regserver backup` to the configured place. The server must not run."""

import argparse
import os
import shutil
import tarfile
from pathlib import Path

from regserver.cli import CommandFault, configuration
from regserver.cli.backup import INSPECTORS
from regserver.config import PostgresPlace, SqlitePlace, store_place
from regserver.owner import explain_refusal, take_over
from regserver.ports.backup import BackupFault
from regserver.store.archive import KEY, dump_name
from regserver.store.draft import draft_folder
from regserver.store.sqlite import held, make_folder
from regserver.store.sqlite.aside import set_aside
from regserver.store.sqlite.copy import inspect_database, log_file
from regserver.store.sqlite.dump import MEMBER as DATABASE


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
    place = store_place(configuration(chosen))
    if isinstance(place, PostgresPlace):
        raise CommandFault(f"{place}: pg_restore restores its backups")
    target = place.database
    try:
        with tarfile.open(chosen.file, "r:") as archive:
            dump_name(chosen.file, archive, INSPECTORS)
            if (target.exists() or _size(log_file(target))) and not chosen.force:
                raise CommandFault(
                    f"{target}: there is a database already; stop the server and use --force to replace it"
                )
            make_folder(target)
            with held(target):
                version = _restore(archive, place)
    except BackupFault as fault:
        raise CommandFault(str(fault)) from None
    except tarfile.TarError as error:
        raise CommandFault(f"{chosen.file}: not an archive of regserver backup: {error}") from None
    except OSError as error:
        refusal = explain_refusal(place.key) or explain_refusal(target)
        raise CommandFault(f"{error.filename or chosen.file}: {error.strerror}{refusal}") from None
    print(f"{target}: restored, schema version {version}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _restore(archive: tarfile.TarFile, place: SqlitePlace) -> int:
    """Returns the version of the schema. Each file is unpacked beside its place, which may be on a disk of its own."""
    with (
        draft_folder(place.database.parent) as folder,
        draft_folder(place.key.parent) as key_folder,
    ):
        database, key = folder / DATABASE, key_folder / KEY
        _unpack(archive, DATABASE, database, place.database)
        _unpack(archive, KEY, key, place.key)
        key.chmod(0o600)
        version = inspect_database(database)
        set_aside((place.database, place.key))
        key.replace(place.key)
        database.replace(place.database)
    for path in {place.key.parent, place.database.parent}:
        _sync(path)
    return version


def _unpack(archive: tarfile.TarFile, name: str, draft: Path, target: Path) -> None:
    """Writes one member. It gets the owner and the mode of what is at its place."""
    member = archive.extractfile(name)
    assert member is not None  # noqa: S101  (a file, as was checked)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as copy:
        shutil.copyfileobj(member, copy)
        take_over(descriptor, target)
        copy.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    """Or the new names may be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
