"""The checks of what a server keeps: configuration, database, key, disk, backups."""

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import trio

from regserver.adapters.server_key import KEY_BYTES, ServerKeyFault
from regserver.adapters.system import SystemClock
from regserver.app.assemble_backup import backup_folder
from regserver.config import Loaded, PostgresPlace, Secret, Section, SqlitePlace, StorePlace, store_place
from regserver.config.section import fields_of
from regserver.domain.finding import Finding, Level
from regserver.domain.instant import MINUTE, Instant, iso_seconds
from regserver.group import unwrapped
from regserver.owner import user_name
from regserver.ports.outbox_table import Backlog
from regserver.ports.store import StoreFault
from regserver.service.backup_service import LATE, describe
from regserver.store import migration
from regserver.store.sqlite import open_migrated
from regserver.store.sqlite.copy import inspect_database, log_file
from regserver.store_opening import connection_words, open_command_store

MIB = 2**20
MAIL_LATE = 10 * MINUTE
AHEAD_SECONDS = 120.0
"""How far ahead of the clock a file's time may be."""


def check_configuration(loaded: Loaded) -> Iterator[Finding]:
    """Where it is, and who may read and change it."""
    yield Finding("ok", str(loaded.file or "built-in defaults"))
    if loaded.file is None:
        return
    mode = stat.S_IMODE(loaded.file.stat().st_mode)
    if mode & stat.S_IWOTH:
        yield Finding("fail", f"every user can change {loaded.file} (mode {mode:o}): chmod o-w {loaded.file}")
    if mode & stat.S_IROTH and (name := next(_secrets(loaded.settings), None)):
        yield Finding("hint", f"every user can read {loaded.file}, which has {name}: chmod o-r {loaded.file}")


def _secrets(section: Section, at: str = "") -> Iterator[str]:
    """The names of secrets that are set."""
    usual = type(section)()
    for name in fields_of(type(section)):
        value = getattr(section, name, None)
        if isinstance(value, Section):
            yield from _secrets(value, f"{at}{name}.")
        elif isinstance(value, Secret) and value != getattr(usual, name) and not value.startswith("sqlite:"):
            yield f"{at}{name}"


def check_store(loaded: Loaded) -> Iterator[Finding]:
    """The database and what stands beside it."""
    place = store_place(loaded)
    if isinstance(place, PostgresPlace):
        yield from _check_server(place)
        return
    path, least = place.database, loaded.settings.store.min_free
    folder = path.absolute().parent
    if not path.exists():
        near = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if os.access(near, os.W_OK):
            yield Finding("ok", f"{path} will be created at the first start")
        else:
            yield Finding("fail", f"{path} cannot be created: {near} is not writable")
        yield from _room(near, least)
        return
    version = inspect_database(path)
    newest = len(migration.migrations())
    text = f"{path} is whole, schema version {version}"
    yield Finding("ok", text if version == newest else f"{text}; the next start updates it to {newest}")
    yield from _files(path, place.key)
    yield from _key(place.key, is_needed=version < newest or _is_settled(place))
    if version == newest:
        yield from _content(place)
    yield from _room(folder, least)


def _check_server(place: PostgresPlace) -> Iterator[Finding]:
    from regserver.store.postgres.postgres_probe import probe_postgres  # SQLite needs no psycopg

    words = connection_words(place, "doctor")
    probed = yield from probe_postgres(words, str(place), place.settings.store.pool_size)
    yield from _key(place.key, is_needed=probed.is_settled)
    if probed.version == len(migration.migrations()):
        yield from _content(place)


def _files(path: Path, key: Path) -> Iterator[Finding]:
    """Whether the server, which runs as the owner of the folder, can use its files."""
    owner = path.parent.stat().st_uid
    for file in (path, log_file(path), key):
        if not file.exists():
            continue
        found = file.stat()
        if found.st_uid not in {owner, os.geteuid()} or (os.geteuid() == 0 and found.st_uid != owner):
            name, other = user_name(owner), user_name(found.st_uid)
            yield Finding("fail", f"{file} belongs to {other} and its folder to {name}: chown {name}: {file}")
            break
        elif not found.st_mode & stat.S_IRUSR or (file != key and not found.st_mode & stat.S_IWUSR):
            yield Finding("fail", f"{file} cannot be written by its owner: chmod u+rw {file}")
            break
        if found.st_mtime > time.time() + AHEAD_SECONDS:
            written = iso_seconds(Instant(int(found.st_mtime * 1000)))
            yield Finding(
                "fail", f"{file} was written at {written}, which is yet to come: is the clock right?"
            )
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        yield Finding("fail", f"the file system of {path.parent} is read-only")


def _is_settled(place: SqlitePlace) -> bool:
    """Whether a server has used the database with a key. Without the key, waiting mail cannot be read."""
    found = trio.run(_fingerprint, place)
    return found is not None


async def _fingerprint(place: SqlitePlace) -> bytes | None:
    with unwrapped(StoreFault):
        async with open_migrated(place.database) as store:
            return await store.read(lambda transaction: transaction.server_keys.find())


def _content(place: StorePlace) -> Iterator[Finding]:
    """Opens it as every command does, so an older or newer schema and another installation's key are found."""
    if not place.key.exists() or place.key.stat().st_size != KEY_BYTES:
        return  # as was told
    with unwrapped(StoreFault, ServerKeyFault):
        backlog, now = trio.run(_backlog, place)
    if backlog.parked:
        yield Finding("hint", f"{backlog.parked} mails are set aside: `regserver mail list` says why")
    if backlog.due_at is not None and now - backlog.due_at > MAIL_LATE:
        since = iso_seconds(backlog.due_at)
        yield Finding("hint", f"{backlog.waiting} mails wait, the first since {since}: does a server run?")


async def _backlog(place: StorePlace) -> tuple[Backlog, Instant]:
    """And the time by which it is due."""
    async with open_command_store(place) as store:
        await store.check()
        return await store.read(lambda transaction: transaction.outbox.backlog()), store.now()


def _room(folder: Path, least: int) -> Iterator[Finding]:
    """least: below it the server writes nothing."""
    free = shutil.disk_usage(folder).free
    if free < 2 * least:
        level: Level = "fail" if free < least else "hint"
        floor = f"store.min_free is {least // MIB} MiB"
        yield Finding(level, f"only {free // MIB} MiB are free on the disk of {folder}; {floor}")


def _key(path: Path, *, is_needed: bool = True) -> Iterator[Finding]:
    if not path.exists():
        if is_needed:
            yield Finding(
                "fail",
                f"{path} is missing, and mail in the outbox cannot be read without it: restore a backup",
            )
        else:
            yield Finding("ok", f"{path} will be created at the first start")
    elif path.stat().st_size != KEY_BYTES:
        yield Finding("fail", f"{path} does not have the {KEY_BYTES} bytes of a key: restore a backup")
    elif path.stat().st_mode & 0o077:
        yield Finding("hint", f"other users can read {path}; the next start changes its mode to 600")


def check_backup(loaded: Loaded) -> Iterator[Finding]:
    """The age of the newest one that the server has made."""
    every, place = loaded.settings.backup.every, store_place(loaded)
    if not every:
        if isinstance(place, SqlitePlace) and place.database.exists():
            yield Finding("hint", 'backup.every is "0s": the server makes no backups of itself')
        return
    now = SystemClock().now()
    newest = backup_folder(loaded).newest(now)
    if newest is not None and now - newest.at <= every + LATE:
        yield Finding("ok", f"{describe(newest)}, {newest.size} bytes")
    elif newest is not None or (isinstance(place, SqlitePlace) and place.database.exists()):
        yield Finding("fail", f"no backup was made in time: {describe(newest)}")
