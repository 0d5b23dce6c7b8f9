"""The look-up of a contact's registration, and running a step in its state."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from regserver.domain import steps_machine as machine
from regserver.domain.account import email_key
from regserver.domain.contact import Contact, Pepper
from regserver.domain.secret import matches
from regserver.domain.steps_machine import TRANSITIONS, AmbiguousIdentity, Registration, Step, StepRefusal
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction

T = TypeVar("T")


class RegistrationLookup:
    """Finds registrations. pepper: hashes contacts to their keys. require_token: see StepsPolicy."""

    def __init__(self, store: Store, clock: Clock, pepper: Pepper, *, require_token: bool) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._require_token = require_token

    async def step(
        self,
        contact: Contact,
        step: Step,
        token: str | None,
        act: Callable[[Transaction, Registration], Awaitable[T]],
    ) -> T | StepRefusal:
        """Runs `act` in one transaction and commits, if the registration's state allows `step`.

        token: the registration's own, for steps that require it. Raises StoreFault.
        """

        async def work(transaction: Transaction) -> T | StepRefusal:
            found = await self.hold(transaction, contact)
            if isinstance(found, StepRefusal):
                return found
            return self._refusal(found, step, token) or await act(transaction, found)

        return await self._store.write(work)

    def _refusal(self, found: Registration, step: Step, token: str | None) -> StepRefusal | None:
        if found.state == "registered":
            return machine.AlreadyRegistered(state=found.state)
        demands_token = step in machine.TOKEN_STEPS and (found.token is not None or self._require_token)
        if step not in TRANSITIONS[found.state] or (demands_token and not matches(found.token, token)):
            return machine.InvalidStep(state=found.state)
        return None

    async def hold(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """As `find`, under the contact's lock, for a unit that may change the registration."""
        await transaction.lock(Lock.CONTACT, self._pepper.lookup_key(contact))
        return await self.find(transaction, contact)

    async def find(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """The contact's registration as of now; if there is none, a new one, which is not written."""
        key = self._pepper.contact_key(contact)
        found = await transaction.registrations.by_contact(key)
        if found is not None:
            return machine.as_of(found, self._clock.now())
        lookup, now = self._pepper.lookup_key(contact), self._clock.now()
        if contact.kind == "identity" and contact.provider is None:
            several = await transaction.registrations.by_lookup(lookup)
            if len(several) > 1:
                return AmbiguousIdentity()
            if several:
                return machine.as_of(several[0], now)
        known = (
            contact.kind == "email"
            and await transaction.accounts.by_email(email_key(contact.value)) is not None
        )
        return Registration(
            contact=key,
            lookup=lookup,
            kind=contact.kind,
            mask=contact.mask,
            provider=contact.provider,
            state="registered" if known else machine.FIRST[contact.kind],
            updated_at=now,
        )
