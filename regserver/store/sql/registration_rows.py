"""Registrations by steps."""

import msgspec

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.steps_machine import Registration
from regserver.store.sql.statement import Rows, columns, placeholders

FIELDS = Registration.__struct_fields__
SELECT = f"SELECT {columns(Registration)} FROM steps_registration"
SAVE = (
    f"INSERT INTO steps_registration ({columns(Registration)}) VALUES ({placeholders(FIELDS)})"
    " ON CONFLICT (contact) DO UPDATE SET "
    + ", ".join(f"{field} = excluded.{field}" for field in FIELDS if field != "contact")
)


class RegistrationRows(Rows):
    """The table steps_registration. Its columns are the fields of Registration."""

    async def by_contact(self, contact: ContactKey) -> Registration | None:
        """Uses the primary key."""
        return await self._one(Registration, f"{SELECT} WHERE contact = ?", contact)

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """Uses the index of lookups."""
        return await self._all(Registration, f"{SELECT} WHERE lookup = ?", lookup)

    async def by_user_id(self, user_id: str) -> Registration | None:
        """Uses the unique index of userIds."""
        return await self._one(Registration, f"{SELECT} WHERE user_id = ?", user_id)

    async def list(self, after: ContactKey, limit: int) -> tuple[Registration, ...]:
        """Uses the primary key."""
        return await self._all(
            Registration, f"{SELECT} WHERE contact > ? ORDER BY contact LIMIT ?", after, limit
        )

    async def save(self, registration: Registration) -> None:
        """An upsert of the whole row."""
        await self._sql.run(SAVE, *msgspec.structs.astuple(registration))

    async def remove(self, contact: ContactKey) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM steps_registration WHERE contact = ?", contact)

    async def forget(self, user_id: str) -> None:
        """Uses the unique index of userIds."""
        await self._sql.run("DELETE FROM steps_registration WHERE user_id = ?", user_id)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM steps_registration WHERE lapses_at <= ?", now)
