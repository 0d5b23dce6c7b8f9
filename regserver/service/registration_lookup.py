"""The look-up of a contact's registration, and running a step in its state."""

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from regserver.domain import steps_machine as machine
from regserver.domain.contact import Contact, ContactKey, Pepper
from regserver.domain.secret import matches
from regserver.domain.steps_machine import TRANSITIONS, AmbiguousIdentity, Registration, Step, StepRefusal
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.steps_policy import StepsPolicy

T = TypeVar("T")


class Proof(msgspec.Struct, frozen=True):
    """What a client shows of its right to a registration. token: the registration's own. address: the client's, or ""."""

    token: str | None = None
    address: str = ""


class RegistrationLookup:
    """Finds registrations. pepper: hashes contacts to their keys."""

    def __init__(self, store: Store, clock: Clock, pepper: Pepper, policy: StepsPolicy) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._policy = policy

    async def step(
        self,
        contact: Contact,
        step: Step,
        proof: Proof,
        act: Callable[[Transaction, Registration], Awaitable[T]],
    ) -> T | StepRefusal:
        """Runs `act` in one transaction and commits, if the registration's state allows `step`, and for steps that
        require it the proof is good. Raises StoreFault.
        """

        async def work(transaction: Transaction) -> T | StepRefusal:
            found = await self.hold(transaction, contact)
            if isinstance(found, StepRefusal):
                return found
            if refusal := self._refusal(found, step, proof):
                return refusal
            if step in machine.TOKEN_STEPS and found.network is None:
                found = msgspec.structs.replace(found, network=self._pepper.network_key(proof.address))
            return await act(transaction, found)

        return await self._store.write(work)

    def _refusal(self, found: Registration, step: Step, proof: Proof) -> StepRefusal | None:
        is_step = step in TRANSITIONS[found.state]
        if is_step and (step not in machine.TOKEN_STEPS or self.is_proven(found, proof)):
            return None
        shown = self.shown(found, proof)
        refusal = machine.AlreadyRegistered if shown.state == "registered" else machine.InvalidStep
        return refusal(state=shown.state)

    def is_proven(self, found: Registration, proof: Proof) -> bool:
        """Whether the client may go on with a verified registration.

        It needs the token, where there is one or always one is required; else it must be in the network that verified.
        """
        if found.token is not None or self._policy.require_token:
            return matches(found.token, proof.token)
        if found.network is None:
            return True
        return hmac.compare_digest(found.network, self._pepper.network_key(proof.address))

    def shown(self, found: Registration, proof: Proof) -> Registration:
        """The registration as this client may see it: the chosen name with proof only, and so, if it is set, the state."""
        if not self._policy.reveal_state and not matches(found.token, proof.token):
            return machine.begun_anew(found, machine.FIRST[found.kind], found.updated_at)
        if self.is_proven(found, proof):
            return found
        return msgspec.structs.replace(found, username=None, user_id=None)

    async def hold(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """As `find`, under the contact's lock, for a unit that may change the registration."""
        await transaction.lock(Lock.CONTACT, self._pepper.lookup_key(contact))
        return await self.find(transaction, contact)

    async def find(self, transaction: Transaction, contact: Contact) -> Registration | AmbiguousIdentity:
        """The contact's registration as of now; if there is none, a new one, which is not written.

        A contact that an account of any door has verified is registered, whatever was begun with it.
        """
        key = self._pepper.contact_key(contact)
        found = await self._find(transaction, contact, key)
        if isinstance(found, AmbiguousIdentity) or found.state == "registered" or contact.kind == "identity":
            return found
        if await transaction.contacts.owner(key) is None:
            return found
        return machine.begun_anew(found, "registered", found.updated_at)

    async def _find(
        self, transaction: Transaction, contact: Contact, key: ContactKey
    ) -> Registration | AmbiguousIdentity:
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
        return Registration(
            contact=key,
            lookup=lookup,
            kind=contact.kind,
            mask=contact.mask,
            provider=contact.provider,
            state=machine.FIRST[contact.kind],
            updated_at=now,
        )
