"""Registrations by steps as operators see them: state and spent budgets, never the code. Contacts are stored as hashes alone,
so one is found by its contact in clear text, or in the list by its id, the contact's hash.
"""

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.contact import BudgetKey, Contact, ContactKey, Pepper
from regserver.domain.instant import DAY, Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import SeveralProviders, StepsNotFound
from regserver.domain.steps_machine import FIRST, AmbiguousIdentity, Registration, as_of, begun_anew
from regserver.ports.transaction import Lock, Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.registration_lookup import RegistrationLookup
from regserver.service.steps_policy import StepsPolicy

MOST_REGISTRATIONS = 1000


class RegistrationOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A registration and the policy that bounds it. *_spent: in the present window of 24 hours; other_tries: from networks
    other than the one that asked for the code.
    """

    registration: Registration
    codes_spent: int
    tries_spent: int
    other_tries_spent: int
    policy: StepsPolicy


class StepsDesk:
    """The use cases of registrations by steps."""

    def __init__(
        self, unit: OperatorUnit, lookup: RegistrationLookup, pepper: Pepper, policy: StepsPolicy
    ) -> None:
        self._unit = unit
        self._lookup = lookup
        self._pepper = pepper
        self._policy = policy

    async def list(
        self, who: OperatorCredential, after: ContactKey, limit: int
    ) -> tuple[Registration, ...] | Denied:
        """Registrations behind an id, in the order of their ids. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> tuple[Registration, ...]:
            found = await transaction.registrations.list(after, min(limit, MOST_REGISTRATIONS))
            return tuple(as_of(each, now) for each in found)

        return await self._unit.read(who, Operation.READ_STEPS, act)

    async def show(
        self, who: OperatorCredential, contact: Contact
    ) -> RegistrationOverview | Denied | SeveralProviders:
        """A contact's registration and budgets; of a contact that nobody has used, a new one. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> RegistrationOverview | SeveralProviders:
            found = await self._lookup.find(transaction, contact)
            if isinstance(found, AmbiguousIdentity):
                return SeveralProviders()
            return await self._overview(transaction, found, now)

        return await self._unit.read(who, Operation.READ_STEPS, act)

    async def show_one(
        self, who: OperatorCredential, key: ContactKey
    ) -> RegistrationOverview | Denied | StepsNotFound:
        """The registration of an id, and its budgets. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> RegistrationOverview | StepsNotFound:
            found = await transaction.registrations.by_contact(key)
            return (
                StepsNotFound()
                if found is None
                else await self._overview(transaction, as_of(found, now), now)
            )

        return await self._unit.read(who, Operation.READ_STEPS, act)

    async def unlock(
        self, who: OperatorCredential, contact: Contact
    ) -> RegistrationOverview | Denied | SeveralProviders:
        """Ends an unfinished registration and resets its budgets, so that its contact can start again at once.

        A reserved name stays reserved for this contact until it lapses. Raises StoreFault.
        """

        async def act(transaction: Transaction, now: Instant) -> RegistrationOverview | SeveralProviders:
            found = await self._lookup.hold(transaction, contact)
            if isinstance(found, AmbiguousIdentity):
                return SeveralProviders()
            return await self._unlock(transaction, found, now)

        return await self._unit.write(who, Operation.CHANGE_STEPS, act)

    async def unlock_one(
        self, who: OperatorCredential, key: ContactKey
    ) -> RegistrationOverview | Denied | StepsNotFound:
        """The same for an id. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> RegistrationOverview | StepsNotFound:
            found = await transaction.registrations.by_contact(key)
            if found is not None:
                await transaction.lock(Lock.CONTACT, found.lookup)
                found = await transaction.registrations.by_contact(key)
            if found is None:
                return StepsNotFound()
            return await self._unlock(transaction, as_of(found, now), now)

        return await self._unit.write(who, Operation.CHANGE_STEPS, act)

    async def _unlock(
        self, transaction: Transaction, found: Registration, now: Instant
    ) -> RegistrationOverview:
        if found.state != "registered" and not await _is_pending(transaction, found):
            await transaction.registrations.remove(found.contact)
            found = begun_anew(found, FIRST[found.kind], now)
        for key in self._budgets(found):
            await transaction.budgets.clear(key)
        transaction.audit.note(AuditNote(action="steps_unlocked"))
        return await self._overview(transaction, found, now)

    async def _overview(
        self, transaction: Transaction, found: Registration, now: Instant
    ) -> RegistrationOverview:
        codes, tries, other_tries = [
            await transaction.budgets.spent(key, DAY, now) for key in self._budgets(found)
        ]
        return RegistrationOverview(
            registration=found,
            codes_spent=codes,
            tries_spent=tries,
            other_tries_spent=other_tries,
            policy=self._policy,
        )

    def _budgets(self, found: Registration) -> tuple[BudgetKey, ...]:
        """Of codes, of the tries of the network that asked for the last one, and of those of all other networks."""
        key, network = self._pepper.budget_key, found.network or b""
        return (
            key("codes", found.contact),
            key("tries", found.contact + network),
            key("tries", found.contact),
        )


async def _is_pending(transaction: Transaction, found: Registration) -> bool:
    """Whether its account may already exist on an outer ledger; then the registration must be finished."""
    return found.user_id is not None and await transaction.submissions.by_user_id(found.user_id) is not None
