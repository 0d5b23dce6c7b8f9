"""Registrations by steps."""

from typing import Any

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.steps_machine import Registration
from regserver.store.sql.statement import Sql, placeholders

FIELDS = Registration.__struct_fields__


COLUMNS = ", ".join(FIELDS)


REPLACE = ", ".join(f"{field} = excluded.{field}" for field in FIELDS if field != "contact")


def _registration(row: tuple[Any, ...]) -> Registration:
    return Registration(**dict(zip(FIELDS, row, strict=True)))


class RegistrationRows:
    """The table steps_registration. Its columns are the fields of Registration."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def by_contact(self, contact: ContactKey) -> Registration | None:
        """Uses the primary key."""
        row = await self._sql.row(f"SELECT {COLUMNS} FROM steps_registration WHERE contact = ?", contact)
        return None if row is None else _registration(row)

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """Uses the index of lookups."""
        rows = await self._sql.rows(f"SELECT {COLUMNS} FROM steps_registration WHERE lookup = ?", lookup)
        return tuple(_registration(row) for row in rows)

    async def by_user_id(self, user_id: str) -> Registration | None:
        """Uses the unique index of userIds."""
        row = await self._sql.row(f"SELECT {COLUMNS} FROM steps_registration WHERE user_id = ?", user_id)
        return None if row is None else _registration(row)

    async def save(self, registration: Registration) -> None:
        """An upsert of the whole row."""
        values = [getattr(registration, field) for field in FIELDS]
        await self._sql.run(
            f"INSERT INTO steps_registration ({COLUMNS}) VALUES ({placeholders(FIELDS)})"
            f" ON CONFLICT (contact) DO UPDATE SET {REPLACE}",
            *values,
        )

    async def remove(self, contact: ContactKey) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM steps_registration WHERE contact = ?", contact)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM steps_registration WHERE lapses_at <= ?", now)
