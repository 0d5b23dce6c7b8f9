"""Answering a request with an Idempotency-Key once.

The key is taken before the use case runs, and the answer is stored with its change: a repetition waits for the first.

Refusals are not stored. They have changed nothing, so the request may be repeated, and may then succeed.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import Instant
from regserver.domain.outcome import IdempotencyConflict, Refusal
from regserver.ports.transaction import Transaction

T = TypeVar("T")


async def answer_once(
    transaction: Transaction,
    scope: str,
    idempotency: Idempotency,
    now: Instant,
    act: Callable[[], Awaitable[T]],
) -> T | IdempotencyConflict:
    """Runs `act`, unless this key has been answered.

    scope: whose keys these are; two people may use the same one. act: returns an id, None, or a refusal.
    """
    stored = await transaction.idempotency.take(scope, idempotency, now)
    if stored is not None:
        # The type of a stored answer is that of `act`: the digest covers the path, so it is the same use case.
        return cast("T", stored.answer) if stored.digest == idempotency.digest else IdempotencyConflict()
    outcome = await act()
    if isinstance(outcome, Refusal):
        await transaction.idempotency.release(scope, idempotency.key)
    else:
        await transaction.idempotency.keep(scope, idempotency.key, cast("int | None", outcome))
    return outcome
