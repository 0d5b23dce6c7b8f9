"""Where a contact's registration stands, and whether a step may be taken from there. Used inside transactions."""

import hmac

from regserver.domain.account import email_key
from regserver.domain.contact import Contact, Pepper
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.steps_machine import (
    FIRST,
    TRANSITIONS,
    AlreadyRegistered,
    AmbiguousIdentity,
    InvalidStep,
    Registration,
    Step,
    StepRefusal,
    as_of,
)
from regserver.ports.clock import Clock
from regserver.ports.transaction import Lock, Transaction


class RegistrationLookup:
    """require_token: whether later steps demand a token even of those who asked for none."""

    def __init__(self, clock: Clock, pepper: Pepper, *, require_token: bool) -> None:
        self._clock = clock
        self._pepper = pepper
        self._require_token = require_token

    async def find(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """The contact's registration as of now; one in its first state, not written, when there is none."""
        now = self._clock.now()
        key = self._pepper.contact_key(contact)
        lookup = self._pepper.lookup_key(contact)
        found = await transaction.registrations.by_contact(key)
        if found is None and contact.kind == "identity" and contact.provider is None:
            several = await transaction.registrations.by_lookup(lookup)
            if len(several) > 1:
                return AmbiguousIdentity()
            found = several[0] if several else None
        if found is not None:
            return as_of(found, now)
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
            state="registered" if known else FIRST[contact.kind],
            updated_at=now,
        )

    async def hold(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """The same for a unit that may change it: nobody else does before that unit ends."""
        await transaction.lock(Lock.CONTACT, self._pepper.lookup_key(contact))
        return await self.find(transaction, contact)

    async def at(self, transaction: Transaction, contact: Contact, step: Step) -> Registration | StepRefusal:
        """The registration, if this step leads on from where it stands."""
        found = await self.hold(transaction, contact)
        if isinstance(found, StepRefusal):
            return found
        if found.state == "registered":
            return AlreadyRegistered(state=found.state)
        return found if step in TRANSITIONS[found.state] else InvalidStep(state=found.state)

    async def held(
        self, transaction: Transaction, contact: Contact, step: Step, token: str | None
    ) -> Registration | StepRefusal:
        """The same for steps that may demand the registration's token."""
        found = await self.at(transaction, contact, step)
        if isinstance(found, StepRefusal):
            return found
        if found.token is None and not self._require_token:
            return found
        return found if matches(found.token, token) else InvalidStep(state=found.state)


def matches(expected: SecretHash | None, token: str | None) -> bool:
    return expected is not None and token is not None and hmac.compare_digest(expected, hash_secret(token))
