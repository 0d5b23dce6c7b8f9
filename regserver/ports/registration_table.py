"""Registrations by steps."""

from typing import Protocol

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.steps_machine import Registration


class RegistrationTable(Protocol):
    """A registration is read, changed and saved as a whole, by a unit that takes Lock.CONTACT before it reads."""

    async def by_contact(self, contact: ContactKey) -> Registration | None:
        """The registration of a contact."""

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """The registrations of one identity at all providers; at most one for other contacts."""

    async def by_user_id(self, user_id: str) -> Registration | None:
        """The registration with this userId."""

    async def list(self, after: ContactKey, limit: int) -> tuple[Registration, ...]:
        """Those behind a contact, in the order of their keys."""

    async def save(self, registration: Registration) -> None:
        """Writes or replaces the contact's registration. Conflict when another has its userId."""

    async def remove(self, contact: ContactKey) -> None:
        """Removes the contact's registration."""

    async def forget(self, user_id: str) -> None:
        """Removes the registration of a deleted account, so that its contact can register anew (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes lapsed registrations; returns how many."""
