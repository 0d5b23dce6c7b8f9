"""`regserver restore FILE`: puts an archive of `regserver backup` in the configured place. The server must not run."""

import argparse
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from regserver.app import sqlite_path
from regserver.cli import FINE, CommandFault, configuration
from regserver.cli.backup import DATABASE, KEY, NOTE
from regserver.ports.store import StoreFault
from regserver.store.sqlite_copy import inspect_database

SIDECARS = ("-wal", "-shm")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="an archive of `regserver backup`")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace a database that is there; it and its key are kept beside, with .old added",
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    target = sqlite_path(configuration(chosen).settings)
    if target.exists() and not chosen.force:
        raise CommandFault(
            f"{target}: there is a database already; stop the server and use --force to replace it"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".regserver-") as folder:
            _unpack(chosen.file, Path(folder))
            version = inspect_database(Path(folder) / DATABASE)
            _put(Path(folder), target)
    except StoreFault as fault:
        raise CommandFault(str(fault)) from None
    except tarfile.TarError as error:
        raise CommandFault(f"{chosen.file}: not an archive of regserver backup: {error}") from None
    except OSError as error:
        raise CommandFault(f"{error.filename or chosen.file}: {error.strerror}") from None
    print(f"{target}: restored, schema version {version}")
    return FINE


def _unpack(file: Path, folder: Path) -> None:
    """The two members that count, by name; whatever else an archive holds or is called is not touched."""
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


def _put(folder: Path, target: Path) -> None:
    key = target.with_suffix(".key")
    for path in (target, key):
        if path.exists():
            path.replace(path.with_name(path.name + ".old"))
    for suffix in SIDECARS:  # of the old database: they would be read into the new one
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    (folder / KEY).replace(key)
    (folder / DATABASE).replace(target)
