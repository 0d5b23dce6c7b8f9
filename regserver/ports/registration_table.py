"""Registrations by steps."""

from typing import Protocol

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.steps_machine import Registration


class RegistrationTable(Protocol):
    """A registration is read, changed and saved as a whole, by a unit that holds Lock.CONTACT from before it reads."""

    async def by_contact(self, contact: ContactKey) -> Registration | None:
        """The registration of a contact."""

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """Those of one identity at all providers; of other contacts there is one at most."""

    async def by_user_id(self, user_id: str) -> Registration | None:
        """The registration that was given this userId."""

    async def save(self, registration: Registration) -> None:
        """Writes the registration in place of the contact's earlier one. Conflict when its userId is another's."""

    async def remove(self, contact: ContactKey) -> None:
        """Removes the contact's registration."""

    async def purge(self, now: Instant) -> int:
        """Removes what has lapsed; how many."""
