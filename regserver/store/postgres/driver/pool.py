"""A pool of connections.

    async with open_pool("postgresql://…", PoolPolicy(most=16)) as pool:
        async with pool.connection() as connection:
            await connection.run("…")

    connection() → idle → lent → comes back → the first who waits, or idle
                 ↘ waits: first come, first served, at most `most_waiting`, at most `patience`
    growing:       a task of the pool's nursery makes a connection when somebody waits, or fewer than `least` are there

Callers do not connect themselves, so one that is cancelled breaks no attempt. While attempts fail, one task at a time tries,
with pauses that grow; callers wait until then, or until their patience ends. The most recently used connection is lent
first, so that those beyond need grow idle and are closed.

A connection that comes back broken, busy or within a transaction is closed, never mended: its server ends what it was in.
"""

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import outcome
import trio

from regserver.store.postgres.driver.fault import (
    DatabaseFault,
    PoolClosed,
    PoolFull,
    PoolTimeout,
)
from regserver.store.postgres.driver.pg_connection import PgConnection
from regserver.store.postgres.driver.pool_opener import PoolOpener, Preparation
from regserver.store.postgres.driver.pool_policy import PoolPolicy, PoolStatistics

TEND_SECONDS: Final = 5.0
"""How often idle connections are looked at; more often where the policy's times are short."""

_CLOSED = "the pool is closed"


class _Place:
    """A connection of the pool. ends_at: when it is to be replaced. idle_since: when it came back. In Trio's time."""

    __slots__ = ("connection", "ends_at", "idle_since")

    def __init__(self, connection: PgConnection, ends_at: float) -> None:
        self.connection = connection
        self.ends_at = ends_at
        self.idle_since = trio.current_time()


class Pool:
    """Lends connections. Opened by `open_pool`."""

    def __init__(self, opener: PoolOpener, policy: PoolPolicy, nursery: trio.Nursery) -> None:
        self._opener = opener
        self._policy = policy
        self._nursery = nursery
        self._idle: list[_Place] = []  # the last one is the most recently used
        self._lent: set[_Place] = set()
        self._waiting: deque[trio.lowlevel.Task] = deque()
        self._opening = 0
        self._closed = False
        self._all_back = trio.Event()
        self._waited = self._refused = self._timed_out = self._opened = self._lost = 0
        self._waited_seconds = 0.0

    def statistics(self) -> PoolStatistics:
        """The pool at this moment."""
        return PoolStatistics(
            lent=len(self._lent),
            idle=len(self._idle),
            opening=self._opening,
            waiting=len(self._waiting),
            waited=self._waited,
            waited_seconds=self._waited_seconds,
            refused=self._refused,
            timed_out=self._timed_out,
            opened=self._opened,
            lost=self._lost,
            failures=self._opener.failures,
        )

    @asynccontextmanager
    async def connection(self, patience: float | None = None) -> AsyncIterator[PgConnection]:
        """Lends a connection for the block. Raises PoolFull, PoolTimeout, PoolClosed.

        patience: seconds to wait for one, instead of the policy's.
        """
        place = await self._take(self._policy.patience if patience is None else patience)
        try:
            yield place.connection
        finally:
            self._give_back(place)

    # --- lending
    async def _take(self, patience: float) -> _Place:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise PoolClosed(_CLOSED)
        while self._idle and not self._waiting:
            place = self._idle.pop()
            self._lent.add(place)
            if await self._is_fit(place):
                return place
            self._drop(place)
        return await self._wait(patience)

    async def _is_fit(self, place: _Place) -> bool:
        """Asks the server where the connection was idle for long, or has something to read, which may be its end."""
        now = trio.current_time()
        if place.connection.closed or now >= place.ends_at:
            return False
        if now - place.idle_since < self._policy.check_after and not place.connection.has_input:
            return True
        try:
            await place.connection.ping(self._policy.check_within)
        except DatabaseFault:
            self._lost += 1
            return False
        except BaseException:
            self._give_back(place)
            raise
        return True

    async def _wait(self, patience: float) -> _Place:
        if len(self._waiting) >= self._policy.most_waiting:
            self._refused += 1
            raise PoolFull(f"{len(self._waiting)} callers wait for a connection, which are as many as may")
        self._waited += 1
        started = trio.current_time()
        task = trio.lowlevel.current_task()
        self._waiting.append(task)
        self._grow()

        def leave(_: object) -> trio.lowlevel.Abort:
            self._waiting.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            with trio.move_on_after(patience):
                place: _Place = await trio.lowlevel.wait_task_rescheduled(leave)
                return place
        finally:
            self._waited_seconds += trio.current_time() - started
        self._timed_out += 1
        raise PoolTimeout(f"no connection was free within {patience:g} s") from self._opener.last_fault

    def _give_back(self, place: _Place) -> None:
        self._lent.discard(place)
        connection = place.connection
        if self._closed or not connection.at_rest or connection.stale or trio.current_time() >= place.ends_at:
            self._lost += not self._closed and not connection.at_rest
            connection.close()
            self._grow()
        else:
            self._lend_or_keep(place)
        if self._closed and not self._lent:
            self._all_back.set()

    def _lend_or_keep(self, place: _Place) -> None:
        place.idle_since = trio.current_time()
        if self._waiting:
            self._lent.add(place)
            trio.lowlevel.reschedule(self._waiting.popleft(), outcome.Value(place))
        else:
            self._idle.append(place)

    def _drop(self, place: _Place) -> None:
        self._lent.discard(place)
        place.connection.close()
        self._grow()

    # --- growing and shrinking
    def _grow(self) -> None:
        """Starts as many attempts as are needed and may be."""
        while not self._closed and self._needs_another(0) and self._size() < self._policy.most:
            self._opening += 1
            self._nursery.start_soon(self._open_one)

    def _size(self) -> int:
        return len(self._idle) + len(self._lent) + self._opening

    def _needs_another(self, own: int) -> bool:
        """own: attempts that are not counted, since they ask whether they are needed."""
        opening = self._opening - own
        return opening < len(self._waiting) or self._size() - own < self._policy.least

    async def _open_one(self) -> None:
        """Makes a connection, unless nobody needs it any longer."""
        try:
            connection = await self._opener.open(lambda: not self._closed and self._needs_another(1))
        finally:
            self._opening -= 1
        if connection is not None:
            self._welcome(connection)

    def _welcome(self, connection: PgConnection) -> None:
        self._opened += 1
        if self._closed:
            connection.close()
            return
        life = self._policy.life(random.random())  # noqa: S311  (no secret)
        self._lend_or_keep(_Place(connection, trio.current_time() + life))

    async def _tend(self) -> None:
        """Closes idle connections that are broken, too old or not needed, and keeps `least` open."""
        policy = self._policy
        pause = min(TEND_SECONDS, policy.max_idle / 2, policy.max_life / 2)
        while True:
            await trio.sleep(pause)
            now = trio.current_time()
            for place in list(self._idle):
                unused = self._size() > policy.least and now - place.idle_since > policy.max_idle
                if unused or now >= place.ends_at or place.connection.closed or place.connection.stale:
                    self._idle.remove(place)
                    place.connection.close()
            self._grow()

    # --- opening and closing
    async def _open(self) -> None:
        """Makes the first connection here, so that what is wrong with the place is raised to whoever opens the pool."""
        self._welcome(await self._opener.open_first())
        self._grow()
        self._nursery.start_soon(self._tend)

    async def _close(self) -> None:
        self._closed = True
        for place in self._idle:
            place.connection.close()
        self._idle.clear()
        while self._waiting:
            trio.lowlevel.reschedule(self._waiting.popleft(), outcome.Error(PoolClosed(_CLOSED)))
        if self._lent:
            with trio.move_on_after(self._policy.close_within, shield=True):
                await self._all_back.wait()
        for place in self._lent:
            place.connection.close()


@asynccontextmanager
async def open_pool(
    conninfo: str,
    policy: PoolPolicy = PoolPolicy(),  # noqa: B008
    prepare: Preparation | None = None,
) -> AsyncIterator[Pool]:
    """Opens a pool, with one connection at once and its others soon. Raises DatabaseUnavailable if that fails.

    At the end of the block nobody gets a connection any longer; those that are lent have `close_within` to come back.

    Args:
        conninfo: As in `connect`.
        policy: Its bounds.
        prepare: Called with each new connection before it is lent, within `connect_within`, for its settings.
    """

    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            pool = Pool(PoolOpener(conninfo, policy, prepare), policy, nursery)
            try:
                await pool._open()
                yield pool
            except BaseException as error:
                raised = error
                raise
            finally:
                await pool._close()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if raised is None or group.exceptions != (raised,):
            raise
    else:
        return
    # Not inside `except`, which would wrap it: the caller's own exception, without the group that a nursery puts around it.
    raise raised from raised.__cause__
