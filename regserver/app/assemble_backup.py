"""Builds the backups by schedule."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.config import ConfigFault, Loaded, PostgresPlace, StorePlace, store_place
from regserver.metric import BackupGauges
from regserver.ports.backup import BackupFault
from regserver.service.backup_service import BackupSchedule, BackupService
from regserver.store.archive import ArchiveParts
from regserver.store.backup_folder import BackupFolder
from regserver.store.sqlite.dump import SqliteDump


async def open_backup(stack: AsyncExitStack, base: Base) -> AppPart:
    """The backups by schedule, where there is one."""
    settings = base.settings.backup
    if not settings.every:
        return AppPart()
    try:
        parts = archive_parts(store_place(base.loaded))
    except BackupFault as fault:
        raise ConfigFault(f"backup.every: {fault}") from None
    backups = BackupFolder(base.loaded.data / settings.folder, parts)
    schedule = BackupSchedule(settings.every, settings.keep)
    service = BackupService(backups, base.clock, schedule, BackupGauges(base.web.metrics))
    return AppPart(useful=(("backup", service.check),), background=(service.run,))


def archive_parts(place: StorePlace) -> ArchiveParts:
    """What goes into a backup of the configured store. Raises BackupFault."""
    if isinstance(place, PostgresPlace):
        raise BackupFault(f"{place}: pg_dump makes its backups; keep {place.key} with them")
    return ArchiveParts(
        SqliteDump(place.database), place.key, place.database.parent, place.settings.store.min_free
    )


def backup_folder(loaded: Loaded) -> BackupFolder:
    """The backups that are there, to list them."""
    return BackupFolder(loaded.data / loaded.settings.backup.folder)
