"""`regserver restore FILE`: restores an archive of `regserver backup` to the configured place. The server must not run."""

import argparse
import os
import shutil
import tarfile
from itertools import chain, count
from pathlib import Path

import msgspec

from regserver.app.assemble_backup import archive_parts
from regserver.cli import CommandFault, configuration
from regserver.cli.backup import INSPECTORS
from regserver.cli.told import Told, tell
from regserver.config import PostgresPlace, SqlitePlace, StorePlace, store_place
from regserver.owner import explain_refusal, take_over
from regserver.ports.backup import BackupFault
from regserver.store.archive import KEY, dump_name, write_file
from regserver.store.draft import draft_folder
from regserver.store.postgres.postgres_dump import MEMBER as DUMP
from regserver.store.postgres.postgres_dump import is_empty, refuse_connected, restore_dump
from regserver.store.sqlite import held, make_folder
from regserver.store.sqlite.aside import set_aside
from regserver.store.sqlite.copy import inspect_database, log_file
from regserver.store.sqlite.dump import MEMBER as DATABASE
from regserver.store_opening import connection_words

BEFORE = ".tar"
"""The end of the name of a backup that is made before a restore."""


class Restored(msgspec.Struct, frozen=True):
    """What a restore did. version: of the schema. before: the files in which what was there is now."""

    version: int
    before: list[Path]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="an archive of `regserver backup`")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an existing database; it and its key are renamed to .old, or .old2, and of PostgreSQL a backup is written first",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Unpacks the archive."""
    place = store_place(configuration(chosen))
    try:
        with tarfile.open(chosen.file, "r:") as archive:
            name = dump_name(chosen.file, archive, INSPECTORS)
            if isinstance(place, PostgresPlace):
                done = _restore_shared(chosen, archive, name, place)
            else:
                done = _restore_file(chosen, archive, name, place)
    except BackupFault as fault:
        raise CommandFault(str(fault)) from None
    except tarfile.TarError as error:
        raise CommandFault(f"{chosen.file}: not an archive of regserver backup: {error}") from None
    except OSError as error:
        raise CommandFault(f"{error.filename or chosen.file}: {error.strerror}{_refusal(place)}") from None
    before = [str(path) for path in done.before]
    lines = [f"{path}: what was there" for path in before if not path.endswith(BEFORE)]  # that one was told
    lines.append(f"{place}: restored, schema version {done.version}")
    tell(chosen, Told(tuple(lines), {"store": str(place), "schemaVersion": done.version, "before": before}))


def _refusal(place: StorePlace) -> str:
    database = "" if isinstance(place, PostgresPlace) else explain_refusal(place.database)
    return explain_refusal(place.key) or database


def _restore_shared(
    chosen: argparse.Namespace, archive: tarfile.TarFile, name: str, place: PostgresPlace
) -> Restored:
    """Into PostgreSQL, in one transaction. What is there is backed up first."""
    if name != DUMP:
        raise CommandFault(
            f"{chosen.file}: a backup of SQLite: restore it to a file, and move that with `regserver store copy`"
        )
    words = connection_words(place, "restore")
    refuse_connected(words)
    make_folder(place.folder / DUMP)
    make_folder(place.key)
    with draft_folder(place.folder) as folder, draft_folder(place.key.parent) as key_folder:
        dump, key = folder / DUMP, key_folder / KEY
        _unpack(archive, DUMP, dump, place.folder / DUMP)
        _unpack(archive, KEY, key, place.key)
        key.chmod(0o600)
        before = []
        if chosen.force and not is_empty(words):
            before.append(_unused(place.folder / f"before-restore{BEFORE}"))
            write_file(archive_parts(place), before[0])
            if not chosen.json:  # told at once: the rest may fail
                print(f"{before[0]}: what was there", flush=True)
        facts = restore_dump(words, dump, replace=chosen.force)
        if place.key.exists() and place.key.read_bytes() != key.read_bytes():
            before.append(_unused(place.key.with_name(f"{place.key.name}.old")))
            place.key.replace(before[-1])
        key.replace(place.key)
    _sync(place.key.parent)
    return Restored(facts.schema, before)


def _unused(path: Path) -> Path:
    """The path, or the same with a number, for a new file."""
    names = chain((path.name,), (f"{path.stem}{number}{path.suffix}" for number in count(2)))
    return next(other for name in names if not (other := path.with_name(name)).exists())


def _restore_file(
    chosen: argparse.Namespace, archive: tarfile.TarFile, name: str, place: SqlitePlace
) -> Restored:
    target = place.database
    if name != DATABASE:
        raise CommandFault(
            f'{chosen.file}: a backup of PostgreSQL: restore it with store.url = "postgresql://…"'
        )
    if (target.exists() or _size(log_file(target))) and not chosen.force:
        raise CommandFault(
            f"{target}: there is a database already; stop the server and use --force to replace it"
        )
    make_folder(target)
    with held(target):
        return _restore(archive, place)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _restore(archive: tarfile.TarFile, place: SqlitePlace) -> Restored:
    """Each file is unpacked beside its place, which may be on a disk of its own."""
    with (
        draft_folder(place.database.parent) as folder,
        draft_folder(place.key.parent) as key_folder,
    ):
        database, key = folder / DATABASE, key_folder / KEY
        _unpack(archive, DATABASE, database, place.database)
        _unpack(archive, KEY, key, place.key)
        key.chmod(0o600)
        version = inspect_database(database)
        before = set_aside((place.database, place.key))
        key.replace(place.key)
        database.replace(place.database)
    for path in {place.key.parent, place.database.parent}:
        _sync(path)
    return Restored(version, before)


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
