"""Builds the backups by schedule."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.config import Loaded, PostgresPlace, StorePlace, store_place
from regserver.metric import BackupGauges
from regserver.service.backup_service import BackupSchedule, BackupService, always
from regserver.service.node_duty import NodeDuty
from regserver.store.archive import ArchiveParts
from regserver.store.backup_folder import BackupFolder
from regserver.store.sqlite.dump import SqliteDump
from regserver.store_opening import connection_words


async def open_backup(stack: AsyncExitStack, base: Base) -> AppPart:
    """The backups by schedule, where there is one."""
    settings = base.settings.backup
    if not settings.every:
        return AppPart()
    parts = archive_parts(store_place(base.loaded))
    backups = BackupFolder(base.loaded.data / settings.folder, parts)
    schedule = BackupSchedule(settings.every, settings.keep)
    is_on_duty = always
    if isinstance(store_place(base.loaded), PostgresPlace):
        is_on_duty = NodeDuty(base.store, base.clock, base.run, base.settings.node.lease).is_ours
    gauges = BackupGauges(base.web.metrics)
    service = BackupService(backups, base.clock, schedule, gauges, is_on_duty)
    return AppPart(useful=(("backup", service.check),), background=(service.run,))


def archive_parts(place: StorePlace) -> ArchiveParts:
    """What goes into a backup of the configured store. Raises StoreFault."""
    if isinstance(place, PostgresPlace):
        from regserver.store.postgres.postgres_dump import PostgresDump  # SQLite needs no psycopg

        return ArchiveParts(PostgresDump(connection_words(place, "backup")), place.key, place.folder)
    return ArchiveParts(
        SqliteDump(place.database), place.key, place.database.parent, place.settings.store.min_free
    )


def backup_folder(loaded: Loaded) -> BackupFolder:
    """The backups that are there, to list them."""
    return BackupFolder(loaded.data / loaded.settings.backup.folder)
