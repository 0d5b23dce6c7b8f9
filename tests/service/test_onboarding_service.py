"""Rewards: each is granted once, however often it is asked for."""

from pathlib import Path

import trio

from regserver.domain.steps_machine import InvalidStep, UserNotFound
from regserver.ports.transaction import Transaction
from regserver.service.onboarding_service import MAX_REWARDS
from tests.steps import open_steps, phone


async def test_each_reward_is_granted_once(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_registered(phone(), "somebody")
        onboarding = steps.onboarding
        assert await onboarding.subscribed(user_id, ["GIFS", "GIRLS", "HEALTH", "GIFS"]) == 3
        assert await onboarding.subscribed(user_id, ["GIFS", "GIRLS", "MEMES"]) == 1
        assert await onboarding.switched_device(user_id) == 1
        assert await onboarding.switched_device(user_id) == 0
        assert await onboarding.shared_link(user_id) == 1
        assert await onboarding.shared_link(user_id) == 0


async def test_parallel_calls_grant_once(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_registered(phone(), "somebody")
        granted: list[int] = []

        async def call() -> None:
            outcome = await steps.onboarding.subscribed(user_id, ["GIFS", "GIRLS", "HEALTH"])
            assert isinstance(outcome, int)
            granted.append(outcome)

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(call)
        assert sorted(granted) == [0] * 49 + [3]


async def test_only_registered_and_living_users_are_known(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        assert await steps.onboarding.shared_link("tst5swkjbtgy") == UserNotFound()
        assert await steps.onboarding.shared_link("\0'; --") == UserNotFound()
        pending = await steps.to_named(phone(), "pending")
        assert await steps.onboarding.shared_link(pending) == InvalidStep(state="toBlockChain")
        gone = await steps.to_registered(phone("+380000000012"), "gone")

        async def delete(transaction: Transaction) -> None:
            account = await transaction.accounts.by_ledger_name(gone)
            assert account is not None
            await transaction.accounts.mark_deleted(account.id, steps.clock.now())

        await steps.store.write(delete)
        assert await steps.onboarding.shared_link(gone) == UserNotFound()


async def test_nobody_fills_the_table(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_registered(phone(), "somebody")
        total = 0
        for page in range(12):
            outcome = await steps.onboarding.subscribed(user_id, [f"C{page}-{n}" for n in range(100)])
            assert isinstance(outcome, int)
            total += outcome
        assert total == MAX_REWARDS
