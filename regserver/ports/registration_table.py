"""Registrations by steps."""

from typing import Protocol

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.steps_machine import Registration


class RegistrationTable(Protocol):
    async def by_contact(self, contact: ContactKey) -> Registration | None: ...

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """Those of one identity at all providers; of other contacts there is one at most."""

    async def by_user_id(self, user_id: str) -> Registration | None: ...

    async def save(self, registration: Registration) -> None: ...

    async def remove(self, contact: ContactKey) -> None: ...

    async def purge(self, now: Instant) -> int:
        """Removes what has lapsed and budgets that are whole again; how many."""
