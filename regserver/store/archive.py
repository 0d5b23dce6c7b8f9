"""A backup: one tar archive with the dump of the store, the server's own key, and a note about both.

    dump → draft/dump ─┐
    server's key ──────┼─▶ draft/archive ─ fsync, link ─▶ the target       or ─▶ a stream
    note ──────────────┘

With the key one can read waiting mail and compare contacts, so only the file's owner may read it. The note has the digest
of each part, and the end of the ledger's journal, which proves later that no entry before it was rewritten.
"""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from regserver import __version__
from regserver.owner import leave_to
from regserver.ports.backup import BackupFault
from regserver.ports.store import StoreFault
from regserver.ports.store_dump import DumpFacts, StillWanted, StoreDump
from regserver.store.draft import draft_folder

KEY = "regserver.key"
NOTE = "backup.json"
_MIB = 1024 * 1024
_CHUNK = _MIB

InspectDump = Callable[[Path], DumpFacts]
"""Checks that a dump is whole, and returns what it has. Raises StoreFault."""


class LedgerEnd(msgspec.Struct, frozen=True):
    """The last entry of the ledger's journal; see DumpFacts."""

    entries: int
    last_hash: str


class BackupNote(msgspec.Struct, frozen=True):
    """What an archive says about itself. regserver: the version that made it. at: seconds since 1970. sha256: by member.

    Archives of older versions have no digests.
    """

    regserver: str
    at: int
    schema: int
    ledger: LedgerEnd
    sha256: dict[str, str] = {}


class ArchiveParts(msgspec.Struct, frozen=True):
    """What goes into an archive. min_free: the bytes that stay free on the disk of `place`, the store's folder."""

    dump: StoreDump
    key: Path
    place: Path
    min_free: int = 0


def no_end() -> None:
    """For work that runs to its end."""


def write_file(parts: ArchiveParts, target: Path, alive: StillWanted = no_end) -> DumpFacts:
    """Writes an archive to a new file: the whole archive or nothing, and never over another file.

    Raises BackupFault, StoreFault, and what `alive` raises.
    """
    with _told(target):
        _need_room(parts, target.parent, copies=2)
        with draft_folder(target.parent) as folder:
            draft = folder / "archive"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                leave_to(descriptor, os.stat(target.parent))
                facts = _write(parts, folder, file, alive)
                file.flush()
                os.fsync(descriptor)
            os.link(draft, target)
        _sync(target.parent)
    return facts


def write_stream(parts: ArchiveParts, stream: IO[bytes], alive: StillWanted = no_end) -> DumpFacts:
    """Writes an archive to a stream. The dump is first written beside the store. Raises as `write_file`, and the stream's errors."""
    with _told("standard output"):
        _need_room(parts, parts.place, copies=1)
        with draft_folder(parts.place) as folder:
            return _write(parts, folder, stream, alive)


@contextmanager
def _told(target: Path | str) -> Iterator[None]:
    """Makes a fault for the operator of an error of the system; a draft's own name says nothing to anybody."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BackupFault(f"{target}: {error.strerror}; no backup was made") from None


def _need_room(parts: ArchiveParts, folder: Path, copies: int) -> None:
    """Raises BackupFault where the disk would be full, or too full for the server, before the archive is done."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    shared = os.stat(folder).st_dev == os.stat(parts.place).st_dev
    needed = copies * parts.dump.size() + _MIB + (parts.min_free if shared else 0)
    if free < needed:
        kept = f", with store.min_free of {parts.min_free // _MIB} MiB" if shared and parts.min_free else ""
        raise BackupFault(
            f"{folder}: a backup needs {-(-needed // _MIB)} MiB{kept}, and only {free // _MIB} MiB of the disk are free;"
            " no backup was made"
        )


def _write(parts: ArchiveParts, folder: Path, out: IO[bytes], alive: StillWanted) -> DumpFacts:
    dump = folder / "dump"
    facts = parts.dump.write(dump, alive)
    # Not seekable, so that a pipe will do. The key may be a link.
    with tarfile.open(fileobj=out, mode="w|", dereference=True) as archive:
        digests = {
            name: _add(archive, path, name, alive)
            for name, path in ((KEY, parts.key), (parts.dump.member, dump))
        }
        ledger = LedgerEnd(facts.entries, facts.last_hash)
        note = msgspec.json.encode(BackupNote(__version__, int(time.time()), facts.schema, ledger, digests))
        member = tarfile.TarInfo(NOTE)
        member.size, member.mode = len(note), 0o600
        archive.addfile(member, io.BytesIO(note))
    return facts


def _add(archive: tarfile.TarFile, path: Path, name: str, alive: StillWanted) -> str:
    """Adds a file; returns its digest."""
    with path.open("rb") as file:
        member = archive.gettarinfo(arcname=name, fileobj=file)
        digesting = _Digesting(file, alive)
        archive.addfile(member, digesting)
        return digesting.digest.hexdigest()


class _Digesting:
    """A file whose digest is made while it is read."""

    def __init__(self, file: IO[bytes], alive: StillWanted) -> None:
        self._file = file
        self._alive = alive
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        self._alive()
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _sync(folder: Path) -> None:
    """Or the new name may be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_archive(file: Path, inspectors: Mapping[str, InspectDump], scratch: Path) -> BackupNote:
    """Whether an archive could be restored: whole, of ours, with the parts that its note tells. Raises BackupFault, StoreFault.

    inspectors: by the name of a dump. scratch: a folder with room for the dump.
    """
    try:
        with tarfile.open(file, "r:") as archive, draft_folder(scratch) as folder:
            name = dump_name(file, archive, inspectors)
            note = read_note(file, archive)
            for member in (KEY, name):
                digest = _unpack(archive, member, folder / member)
                if note.sha256 and note.sha256.get(member) != digest:
                    raise BackupFault(f"{file}: {member} is not what was backed up: the archive is damaged")
            facts = inspectors[name](folder / name)
    except tarfile.TarError as error:
        raise BackupFault(f"{file}: not an archive of regserver backup, or cut off: {error}") from None
    except OSError as error:
        raise BackupFault(f"{error.filename or file}: {error.strerror}") from None
    except StoreFault as fault:
        raise BackupFault(f"{file}: {str(fault).replace(f'{folder / name}: ', '')}") from None
    if facts != DumpFacts(note.schema, note.ledger.entries, note.ledger.last_hash):
        raise BackupFault(f"{file}: the database is not the one that its note describes")
    return note


def dump_name(file: Path, archive: tarfile.TarFile, known: Mapping[str, object]) -> str:
    """The member that is the dump. An archive with other members is refused. Raises BackupFault, tarfile.TarError."""
    found = sorted(archive.getnames())
    name = next((name for name in known if sorted((NOTE, KEY, name)) == found), None)
    if name is None:
        raise BackupFault(f"{file}: not an archive of regserver backup, or cut off")
    for member in (NOTE, KEY, name):
        # A link's target is not in the archive, and may be any file of this machine.
        if not archive.getmember(member).isreg():
            raise BackupFault(f"{file}: {member} is no file: make the archive with `regserver backup`")
    return name


def read_note(file: Path, archive: tarfile.TarFile) -> BackupNote:
    """The note of an archive. Raises BackupFault."""
    member = archive.extractfile(NOTE)
    assert member is not None  # noqa: S101  (a member, as was checked)
    try:
        return msgspec.json.decode(member.read(_CHUNK), type=BackupNote)
    except msgspec.DecodeError as error:
        raise BackupFault(f"{file}: {NOTE} cannot be read: {error}") from None


def _unpack(archive: tarfile.TarFile, name: str, target: Path) -> str:
    """Writes one member to a new file; returns its digest."""
    member = archive.extractfile(name)
    assert member is not None  # noqa: S101  (a file, as was checked)
    digest = hashlib.sha256()
    with target.open("xb") as copy:
        while data := member.read(_CHUNK):
            digest.update(data)
            copy.write(data)
    return digest.hexdigest()
