"""How the nodes on one database wake each other: LISTEN and NOTIFY, on two connections of the node's own.

    commit → tell_nowait → NOTIFY, at most one in GAP_SECONDS → every other node → on_word → it reads what is new
             say_nowait  → NOTIFY with the text, on a channel of its own         → on_text

NOTIFY within a transaction takes a lock of the whole server at its commit, so it is sent behind, without content. One that
is lost costs a second: without a word, on_word is called every POLL_SECONDS.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import trio
from psycopg import Notify

from regserver.ports.node_link import NodeLink
from regserver.store.postgres.driver import ConnectionLost, DatabaseFault, PgConnection

CHANNEL: Final = "regserver"
TEXTS: Final = "regserver_text"
MOST_TEXTS: Final = 10
"""That wait for the connection; the oldest are dropped."""
GAP_SECONDS: Final = 0.001
POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0
DEAF_SECONDS: Final = 5.0
"""A connection that is made again is no fault before."""
QUIET_POLLS: Final = 10
"""So many polls without a word, and the listening connection is tried: it may have been cut without a sign."""

Connect = Callable[[], Awaitable[PgConnection]]
"""Opens a connection that is not the pool's. Raises DatabaseFault."""


class PostgresLink(NodeLink):
    """The link of one node.

    on_word: called when another node has written, and every POLL_SECONDS. on_text: with what another node says. Neither must
    block or raise.
    """

    def __init__(
        self,
        connect: Connect,
        on_word: Callable[[], None],
        on_text: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._connect = connect
        self._on_word = on_word
        self._on_text = on_text
        self._news = trio.Event()
        self._has_written = False
        self._texts: deque[str] = deque(maxlen=MOST_TEXTS)
        self._own = 0  # the process of our telling connection at the server
        self._deaf_since: float | None = trio.current_time()

    def fault(self) -> str | None:
        """How long it has not been listening."""
        deaf = 0.0 if self._deaf_since is None else trio.current_time() - self._deaf_since
        if deaf <= DEAF_SECONDS:
            return None
        return f"not listening for {deaf:.0f} s: what other nodes write is seen up to {POLL_SECONDS:g} s late"

    def tell_nowait(self) -> None:
        """Wakes the other nodes. What several units tell at once goes as one."""
        self._has_written = True
        self._news.set()

    def say_nowait(self, text: str) -> None:
        """Each text goes by itself."""
        self._texts.append(text)
        self._news.set()

    async def run_telling(self) -> None:
        """Sends what is to be told, until cancelled. What cannot be sent is found by the other nodes' poll."""
        while True:
            await self._news.wait()
            try:
                async with await self._connect() as connection:
                    self._own = connection.raw.info.backend_pid
                    await self._tell_by(connection)
            except DatabaseFault:
                self._news, self._has_written = trio.Event(), False
                self._texts.clear()
                await trio.sleep(RETRY_SECONDS)

    async def _tell_by(self, connection: PgConnection) -> None:
        while True:
            await self._news.wait()
            self._news = trio.Event()
            if self._has_written:
                self._has_written = False
                await connection.execute(f"NOTIFY {CHANNEL}")
            while self._texts:
                await connection.execute("SELECT pg_notify($1, $2)", TEXTS, self._texts.popleft())
            await trio.sleep(GAP_SECONDS)

    async def run_listening(self) -> None:
        """Calls on_word until cancelled. While the database is away it polls."""
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.listen(TEXTS)
                    await connection.listen(CHANNEL)
                    self._deaf_since = None
                    self._on_word()  # of what came before
                    await self._listen_on(connection)
            except DatabaseFault:
                self._deaf_since = trio.current_time() if self._deaf_since is None else self._deaf_since
                self._on_word()
                await trio.sleep(RETRY_SECONDS)

    async def _listen_on(self, connection: PgConnection) -> None:
        quiet, told_at = 0, trio.current_time()
        while not connection.closed:
            heard = await connection.notifications(POLL_SECONDS)
            quiet = 0 if heard else quiet + 1
            if self._take(heard) or not heard or trio.current_time() - told_at >= POLL_SECONDS:
                told_at = trio.current_time()
                self._on_word()
            if quiet == QUIET_POLLS:
                quiet = 0
                with trio.move_on_after(POLL_SECONDS) as scope:
                    await connection.execute("SELECT 1")
                if scope.cancelled_caught:
                    raise ConnectionLost("the listening connection does not answer")

    def _take(self, heard: Iterable[Notify]) -> bool:
        """Hands on the texts of other nodes; whether there is a word of one."""
        foreign = [each for each in heard if each.pid != self._own]
        for each in foreign:
            if each.channel == TEXTS:
                self._on_text(each.payload)
        return any(each.channel == CHANNEL for each in foreign)
