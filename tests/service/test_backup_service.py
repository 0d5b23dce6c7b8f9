"""Backups by schedule, on a real store: when one is due, what is kept, and what becomes of a full disk and a killed one."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import trio

from regserver.domain.instant import DAY, HOUR, MINUTE
from regserver.ports.backup import BackupFile
from regserver.ports.store import StoreFault
from regserver.service.backup_service import (
    BackupObserver,
    BackupOutcome,
    BackupSchedule,
    BackupService,
    always,
)
from regserver.store.archive import ArchiveParts, check_archive
from regserver.store.backup_folder import BackupFolder
from regserver.store.draft import draft_folder
from regserver.store.sqlite import open_sqlite
from regserver.store.sqlite.dump import MEMBER, SqliteDump, inspect_copy
from tests.fake import EPOCH, ManualClock

TIB = 2**40


class Observer(BackupObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.counted: list[BackupOutcome] = []
        self.newest: BackupFile | None = None

    def count(self, outcome: BackupOutcome) -> None:
        self.counted.append(outcome)

    def show(self, newest: BackupFile | None) -> None:
        self.newest = newest


class World:
    """A database, and the service that backs it up every day."""

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder = folder / "backup"
        self.parts = ArchiveParts(SqliteDump(folder / "test.db"), folder / "test.key", folder)
        self.clock = ManualClock()
        self.observer = Observer()
        self.schedule = BackupSchedule(DAY, keep)
        self.service = self.started()

    def started(self, is_on_duty: Callable[[], Awaitable[bool]] = always) -> BackupService:
        """A service that knows nothing of the one before, as after a restart."""
        backups = BackupFolder(self.folder, self.parts)
        return BackupService(backups, self.clock, self.schedule, self.observer, is_on_duty)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
async def world(tmp_path: Path) -> World:
    async with open_sqlite(tmp_path / "test.db"):
        (tmp_path / "test.key").write_bytes(bytes(32))
    return World(tmp_path)


async def test_one_is_made_when_the_newest_is_too_old(world: World) -> None:
    assert await world.service.make_due()
    assert world.names() == ["regserver-20200913T122640Z.tar"]
    made = world.folder / world.names()[0]
    assert made.stat().st_mode & 0o777 == 0o600
    assert world.folder.stat().st_mode & 0o777 == 0o700
    assert check_archive(made, {MEMBER: inspect_copy}, world.folder).schema > 0
    assert world.observer.newest == BackupFile(made.name, EPOCH, made.stat().st_size)
    world.clock.advance(DAY - 1)
    assert not await world.service.make_due()
    assert not await world.started().make_due()
    world.clock.advance(1)
    assert await world.started().make_due()
    assert world.observer.counted == ["made", "made"]
    assert await world.service.check() is None


async def test_old_ones_go_after_a_new_one_and_nothing_else_does(world: World) -> None:
    world.folder.mkdir()
    others = ["by-hand.tar", "regserver-20209913T122640Z.tar", "regserver-20200101T000000Z.tar.gpg"]
    ahead = "regserver-20990101T000000Z.tar"  # made while the clock was wrong
    for name in (*others, ahead, "regserver-20200101T000000Z.tar", "regserver-20200102T000000Z.tar"):
        (world.folder / name).touch()
    assert await world.service.make_due()
    kept = ["regserver-20200102T000000Z.tar", "regserver-20200913T122640Z.tar"]
    assert world.names() == sorted((*others, ahead, *kept))


async def test_a_fault_removes_nothing_and_is_told_until_the_next_one_is_made(world: World) -> None:
    for _ in range(2):
        assert await world.service.make_due()
        world.clock.advance(DAY)
    kept = world.names()
    world.parts = msgspec.structs.replace(world.parts, min_free=1000 * TIB)
    service = world.started()
    assert not await service.make_due()
    assert world.names() == kept
    said = await service.check()
    assert said is not None
    assert said.startswith(f"{world.folder}: a backup needs ")
    assert said.endswith(" no backup was made (the newest is of 2020-09-14T12:26:40Z)")
    assert world.observer.counted == ["made", "made", "failed"]
    assert not await service.make_due()  # it is left alone for a while
    assert world.observer.counted[2:] == ["failed"]
    world.clock.advance(10 * MINUTE)
    assert not await service.make_due()
    assert world.observer.counted[2:] == ["failed", "failed"]
    (world.folder.parent / "test.key").unlink()
    world.parts = msgspec.structs.replace(world.parts, min_free=0)
    service = world.started()
    assert not await service.make_due()
    assert str(await service.check()).endswith(
        "No such file or directory; no backup was made (the newest is of 2020-09-14T12:26:40Z)"
    )
    assert world.names() == kept


async def test_none_in_time_is_told(world: World) -> None:
    world.clock.advance(DAY + 2 * HOUR)
    assert await world.service.check() is None
    world.clock.advance(1)
    assert await world.service.check() == "no backup was made in time (there is no backup)"


async def test_what_a_killed_one_left_goes_with_the_next_and_one_in_use_stays(world: World) -> None:
    world.folder.mkdir()
    left = world.folder / ".regserver-left"
    left.mkdir()
    (left / "dump").write_bytes(bytes(1000))
    with draft_folder(world.folder) as used:
        assert not left.exists()
        left.mkdir()
        assert await world.service.make_due()
        assert (used.exists(), left.exists()) == (True, False)
    assert world.names() == ["regserver-20200913T122640Z.tar"]


async def test_a_stop_in_the_midst_leaves_nothing(world: World) -> None:
    folder = BackupFolder(world.folder, world.parts)
    with trio.CancelScope() as scope:

        def alive() -> None:
            trio.from_thread.run_sync(scope.cancel)
            trio.from_thread.check_cancelled()

        await trio.to_thread.run_sync(folder.make, EPOCH, alive)
    assert scope.cancelled_caught
    assert world.names() == []


async def test_a_node_that_is_not_on_duty_leaves_it_to_another(world: World) -> None:
    """And says nothing of it; a store that cannot tell is a fault."""
    duty: list[bool | StoreFault] = [False, False, StoreFault("gone"), True]

    async def is_on_duty() -> bool:
        found = duty.pop(0)
        if isinstance(found, StoreFault):
            raise found
        return found

    service = world.started(is_on_duty)
    for _ in range(2):
        assert not await service.make_due()
        world.clock.advance(10 * DAY)
        assert await service.check() is None
    assert not await service.make_due()
    world.clock.advance(HOUR)
    assert await service.make_due()
    assert len(world.names()) == 1
