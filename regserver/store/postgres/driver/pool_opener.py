"""Making the connections of a pool, and patience while the server is away."""

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import trio

from regserver.store.postgres.driver.fault import DatabaseFault, DatabaseUnavailable
from regserver.store.postgres.driver.pg_connect import connect
from regserver.store.postgres.driver.pg_connection import PgConnection
from regserver.store.postgres.driver.pool_policy import PoolPolicy

Preparation = Callable[[PgConnection], Awaitable[None]]
"""Makes the settings of a new connection."""


class PoolOpener:
    """Connects. While attempts fail, one task at a time tries, with pauses that grow.

    conninfo: where to. prepare: called with each new connection.
    """

    def __init__(self, conninfo: str, policy: PoolPolicy, prepare: Preparation | None) -> None:
        self._conninfo = conninfo
        self._policy = policy
        self._prepare = prepare
        self._turn = trio.Lock()
        self.failures = 0
        """Attempts that failed in a row."""
        self.last_fault: DatabaseFault | None = None
        """Why the last one failed; None if it did not."""

    async def open_first(self) -> PgConnection:
        """Makes one attempt. Raises DatabaseFault."""
        connection = await connect(self._conninfo, self._policy.connect_within)
        try:
            if self._prepare is not None:
                with trio.move_on_after(self._policy.connect_within) as scope:
                    await self._prepare(connection)
                if scope.cancelled_caught:
                    raise DatabaseUnavailable("a new connection could not be prepared in time")
        except BaseException:
            connection.close()
            raise
        return connection

    async def open(self, needed: Callable[[], bool]) -> PgConnection | None:
        """Makes attempts until one succeeds; None once it is not needed any longer."""
        while needed():
            turn: AbstractAsyncContextManager[object] = self._turn if self.failures else nullcontext()
            async with turn:
                if self.failures:
                    await trio.sleep(self._policy.pause(self.failures, random.random()))  # noqa: S311  (no secret)
                if needed() and (connection := await self._try_once()) is not None:
                    return connection
        return None

    async def _try_once(self) -> PgConnection | None:
        try:
            connection = await self.open_first()
        except DatabaseFault as fault:
            self.failures += 1
            self.last_fault = fault
            return None
        self.failures, self.last_fault = 0, None
        return connection
