"""The operator's view of a registration by steps: its state and its spent budgets, never the code."""

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.contact import BudgetKey, Contact, Pepper
from regserver.domain.instant import DAY
from regserver.domain.steps_machine import AmbiguousIdentity, Registration
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.registration_lookup import RegistrationLookup
from regserver.service.steps_policy import StepsPolicy


class RegistrationOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A registration and the policy that bounds it. *_spent: in the present window of 24 hours; other_tries: from networks
    other than the one that asked for the code.
    """

    registration: Registration
    codes_spent: int
    tries_spent: int
    other_tries_spent: int
    policy: StepsPolicy


class StepsAdmin:
    """Finds a registration by its contact in clear text, since the database has only hashes."""

    def __init__(
        self, store: Store, clock: Clock, pepper: Pepper, policy: StepsPolicy, actor: str = "server"
    ) -> None:
        """actor: who does it, for the audit."""
        self._actor = actor
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._policy = policy
        self._lookup = RegistrationLookup(store, clock, pepper, policy)

    async def show(self, contact: Contact) -> RegistrationOverview | AmbiguousIdentity:
        """The contact's registration and budgets. Raises StoreFault."""

        async def work(transaction: Transaction) -> RegistrationOverview | AmbiguousIdentity:
            found = await self._lookup.find(transaction, contact)
            if isinstance(found, AmbiguousIdentity):
                return found
            now = self._clock.now()
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

        return await self._store.read(work)

    async def unlock(self, contact: Contact) -> RegistrationOverview | AmbiguousIdentity:
        """Removes the contact's unfinished registration and resets its budgets, so that it can start again at once.

        A reserved name stays reserved for this contact until it lapses. Raises StoreFault.
        """

        async def work(transaction: Transaction) -> AmbiguousIdentity | None:
            transaction.audit.by(self._actor)
            found = await self._lookup.hold(transaction, contact)
            if isinstance(found, AmbiguousIdentity):
                return found
            if found.state != "registered" and not await self._is_pending(transaction, found):
                await transaction.registrations.remove(found.contact)
            for key in self._budgets(found):
                await transaction.budgets.clear(key)
            transaction.audit.note(AuditNote(action="steps_unlocked"))
            return None

        refusal = await self._store.write(work)
        return refusal if refusal is not None else await self.show(contact)

    def _budgets(self, found: Registration) -> tuple[BudgetKey, ...]:
        """Of codes, of the tries of the network that asked for the last one, and of those of all other networks."""
        key, network = self._pepper.budget_key, found.network or b""
        return (
            key("codes", found.contact),
            key("tries", found.contact + network),
            key("tries", found.contact),
        )

    async def _is_pending(self, transaction: Transaction, found: Registration) -> bool:
        """Whether its account may already exist on an outer ledger; then the registration must be finished."""
        return (
            found.user_id is not None and await transaction.submissions.by_user_id(found.user_id) is not None
        )
