"""What the store on PostgreSQL tells of itself: for readiness in words, for metrics in numbers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import trio

from regserver.domain.room_event import EventId
from regserver.ports.node_link import NodeLink
from regserver.ports.store import StoreCheck, StoreFault, StoreFigure
from regserver.store.postgres.driver import Pool
from regserver.store.postgres.log_tail import LogTail
from regserver.store.postgres.postgres_policy import PostgresPolicy

LATE_SECONDS: Final = 5.0
"""An event that the tail has not come past for so long is late; it looks every second."""

ReadEnd = Callable[[], Awaitable[EventId]]
"""Reads the id of the log's last event. Raises StoreFault."""


class PostgresHealth:
    """pool, tail, link: those of the store."""

    def __init__(
        self, pool: Pool, policy: PostgresPolicy, tail: LogTail, link: NodeLink, read_end: ReadEnd
    ) -> None:
        self._pool = pool
        self._most = policy.most
        self._tail = tail
        self._link = link
        self._read_end = read_end
        self._late: tuple[EventId, float] | None = None
        """Where the tail stood when it was first seen behind, and when that was."""

    @property
    def checks(self) -> Mapping[str, StoreCheck]:
        """The parts of readiness."""
        return {"pool": self.check_pool, "link": self.check_link, "lag": self.check_lag}

    async def check_pool(self) -> str | None:
        """Whether whoever needs a connection gets one."""
        found = self._pool.statistics()
        if found.failures:
            return (
                f"no connection could be made {found.failures} times in a row; {found.waiting} callers wait"
            )
        if found.waiting and found.lent >= self._most:
            return (
                f"all {self._most} connections are in use, and {found.waiting} callers wait (store.pool_size)"
            )
        return None

    async def check_link(self) -> str | None:
        """Whether this node hears at once of what others write."""
        return self._link.fault()

    async def check_lag(self) -> str | None:
        """Whether this node has heard of what is in the log."""
        try:
            end = await self._read_end()
        except StoreFault:
            return None  # the part "store" tells
        position, now = self._tail.position.id, trio.current_time()
        if end <= position:
            self._late = None
        elif self._late is None or self._late[0] != position:
            self._late = (position, now)  # it may have come this moment
        behind = 0.0 if self._late is None else now - self._late[1]
        return (
            f"the events after {position} are not read for {behind:.0f} s" if behind > LATE_SECONDS else None
        )

    @property
    def figures(self) -> tuple[StoreFigure, ...]:
        """The pool in numbers."""
        statistics = self._pool.statistics
        return (
            StoreFigure(
                "store_connections_used", "Connections to the database in use.", lambda: statistics().lent
            ),
            StoreFigure(
                "store_connections_idle", "Connections that wait for use.", lambda: statistics().idle
            ),
            StoreFigure(
                "store_link_up",
                "1 while words of other nodes are heard at once, or none are expected.",
                lambda: int(self._link.fault() is None),
            ),
            StoreFigure(
                "store_log_losses",
                "Times that the event log lacked what this node had told.",
                lambda: self._tail.losses,
                is_count=True,
            ),
            StoreFigure("store_waiting", "Callers that wait for a connection.", lambda: statistics().waiting),
            StoreFigure(
                "store_connections_refused",
                "Callers that got no connection in time.",
                lambda: statistics().refused + statistics().timed_out,
                is_count=True,
            ),
            StoreFigure(
                "store_connections_lost",
                "Connections found broken.",
                lambda: statistics().lost,
                is_count=True,
            ),
        )
