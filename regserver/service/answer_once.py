"""Answering a keyed request once: looked up before it is acted on, kept in the transaction of the change.

Refusals are not kept. They have changed nothing, so asking again is safe, and may rightly find things different.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import Instant
from regserver.domain.outcome import IdempotencyConflict, Refusal
from regserver.ports.transaction import Transaction

T = TypeVar("T")


async def once(
    transaction: Transaction,
    scope: str,
    retry: Idempotency | None,
    now: Instant,
    act: Callable[[], Awaitable[T]],
) -> T | IdempotencyConflict:
    """Runs `act` unless this key has been answered; without a key, always.

    act: gives a number, None, or a refusal.
    """
    if retry is None:
        return await act()
    kept = await transaction.idempotency.find(scope, retry.key, now)
    if kept is not None:
        return cast("T", kept.answer) if kept.digest == retry.digest else IdempotencyConflict()
    outcome = await act()
    if not isinstance(outcome, Refusal):
        await transaction.idempotency.keep(scope, retry, cast("int | None", outcome), now)
    return outcome
