"""Running a unit of work again after a conflict, for every back end."""

from collections.abc import Awaitable, Callable

from regserver.ports.store import StoreFault, T
from regserver.ports.transaction import Conflict, Transaction

Work = Callable[[Transaction], Awaitable[T]]
"""A unit of work."""

MAX_RUNS = 10


async def run_until_settled(run: Callable[[], Awaitable[T]], before: int = 0) -> T:
    """Awaits `run()` again after each Conflict. Raises StoreFault after MAX_RUNS of them.

    before: how many runs have met one already.
    """
    conflict: Conflict | None = None
    for _ in range(before, MAX_RUNS):
        try:
            return await run()
        except Conflict as another:
            conflict = another
    raise StoreFault(f"a unit of work met a conflict {MAX_RUNS} times: {conflict}") from conflict
