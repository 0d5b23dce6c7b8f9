"""Onboarding: a new user's rewards, each granted once. A reward is granted by writing its row."""

from collections.abc import Sequence

from regserver.domain.steps_machine import InvalidStep, UserNotFound
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction

MIN_COMMUNITIES = 3
MAX_COMMUNITIES = 100
MAX_REWARDS = 1000
"""The most rewards of one user, so that nobody can fill the table."""

OnboardingRefusal = UserNotFound | InvalidStep
"""InvalidStep: the userId is that of a registration which is not finished."""


class OnboardingService:
    """Each method returns how many rewards it granted. user_id: the ledger name of a user of the steps door."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def subscribed(self, user_id: str, communities: Sequence[str]) -> int | OnboardingRefusal:
        """The user follows these communities; a reward for each that is new."""
        return await self._grant(user_id, "communitySubscriptions", dict.fromkeys(communities))

    async def switched_device(self, user_id: str) -> int | OnboardingRefusal:
        """The user signed in on another device."""
        return await self._grant(user_id, "deviceSwitched", [""])

    async def shared_link(self, user_id: str) -> int | OnboardingRefusal:
        """The user shared a link."""
        return await self._grant(user_id, "sharedLink", [""])

    async def _grant(
        self, user_id: str, reason: str, communities: Sequence[str] | dict[str, None]
    ) -> int | OnboardingRefusal:
        async def work(transaction: Transaction) -> int | OnboardingRefusal:
            account = await transaction.accounts.by_ledger_name(user_id)
            if account is None:
                begun = await transaction.registrations.by_user_id(user_id)
                return UserNotFound() if begun is None else InvalidStep(state=begun.state)
            if not account.is_usable:
                return UserNotFound()
            await transaction.lock(Lock.ACCOUNT, account.id)
            now, granted = self._clock.now(), 0
            left = MAX_REWARDS - await transaction.rewards.count(user_id)
            for community in list(communities)[: max(0, left)]:
                granted += await transaction.rewards.grant(user_id, reason, community, now)
            return granted

        return await self._store.write(work)
