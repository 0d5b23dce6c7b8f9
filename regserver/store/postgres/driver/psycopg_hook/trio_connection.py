"""psycopg's connection on Trio: `wait`, `cancel_safe` and `lock` are replaced.

Statements are sent by `pg_wire`; COPY, streams and notifications are psycopg's own, on top of `wait`.

**Cancellation.** A statement that is cancelled is stopped on the server, and its answer is read to the end, so that the
connection is in step again: `wait` asks the server to cancel, goes on with the generator, and asks again while nothing
comes, since a request that reaches the server before the statement does is lost. All of that is shielded, and bounded by
STOP_SECONDS; past them the connection is closed. A request is waited for to its end. So it cannot hit the next statement.
"""

from collections.abc import Generator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, TypeVar, cast

import psycopg
import trio
from psycopg import AsyncConnection, AsyncRawCursor, errors, generators, pq
from psycopg._capabilities import capabilities
from psycopg.abc import PQGen
from psycopg.pq.abc import PGconn
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from regserver.store.postgres.driver.readiness import drive_alone, ready_now, until_ready

V = TypeVar("V")
PgRow = tuple[Any, ...]

STOP_SECONDS: Final = 5.0
"""How long a cancelled statement may take to stop, until its connection is closed."""
ASK_AGAIN_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 0.005
"""How long a task may be served without waiting until it lets others run."""
BLOCKING_CANCELS: Final = 16

_ACTIVE, _IDLE, _READ = pq.TransactionStatus.ACTIVE, pq.TransactionStatus.IDLE, 1
_READY_TO_READ: Final = cast("Any", 1)
_READY_FOR_NOTHING: Final = cast("Any", 0)
_limiter = trio.CapacityLimiter(BLOCKING_CANCELS)


class SingleUse:
    """Stands for psycopg's lock: a connection belongs to one task, so a second one is a mistake and does not wait."""

    _taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise psycopg.InterfaceError("another task is using this connection")
        self._taken = True

    def __exit__(self, *_: object) -> None:
        self._taken = False

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._taken = False


class TrioConnection(AsyncConnection[PgRow]):
    """psycopg's connection, for use by one Trio task at a time, in autocommit mode. Parameters are written as $1, $2."""

    def __init__(self, pgconn: Any, *rest: Any) -> None:
        super().__init__(pgconn, *rest)
        self.use = SingleUse()
        self.lock = cast("Any", self.use)
        self.cursor_factory = AsyncRawCursor
        self.prepare_threshold = None  # of cursors
        self._autocommit = True
        self._yielded_at = 0.0
        # By its value an int would be sent as int2, int4, int8 or numeric, and each would be prepared by itself.
        self.adapters.register_dumper(int, Int8BinaryDumper)
        self.adapters.register_dumper(int, Int8Dumper)

    async def wait(self, gen: PQGen[V], interval: float = 0.0, timeout: float | None = None) -> V:  # noqa: ASYNC109
        """Drives a generator to its end, and a cancelled one to the server's answer. Raises psycopg.Error.

        Args:
            gen: What to do on the connection.
            interval: Not used.
            timeout: Seconds until errors._WaitTimeout; None for no bound.
        """
        try:
            return await self._drive(gen, timeout)
        except psycopg.Error:
            raise
        except BaseException:
            await self._stop(gen, begun=True)
            raise

    async def _drive(self, gen: PQGen[V], within: float | None = None, *, begun: bool = False) -> V:
        """begun: whether the generator waits for an answer already; it takes no None then."""
        waited = False
        try:
            wants: int = gen.send(_READY_FOR_NOTHING) if begun else next(gen)
            fd = self.pgconn.socket
            while within is None:
                if wants == _READ:
                    await trio.lowlevel.wait_readable(fd)
                    waited = True
                    wants = gen.send(_READY_TO_READ)
                else:
                    wants = gen.send(cast("Any", await until_ready(fd, wants)))
            deadline = trio.current_time() + within
            while True:
                wants = gen.send(cast("Any", await self._ready_until(deadline, wants)))
                if trio.current_time() >= deadline:
                    raise errors._WaitTimeout("wait timeout expired")
        except StopIteration as stop:
            if not waited:
                await self._yield_if_busy()
            return cast("V", stop.value)
        except (OSError, trio.ClosedResourceError):
            raise psycopg.OperationalError("the connection was closed meanwhile") from None

    async def _ready_until(self, deadline: float, wants: int) -> int:
        """0 when the deadline passes; what has come until then is still told."""
        with trio.move_on_at(deadline):
            return await until_ready(self.pgconn.socket, wants)
        return 0

    async def _yield_if_busy(self) -> None:
        now = trio.current_time()
        if now - self._yielded_at > BUSY_SECONDS:
            self._yielded_at = now
            await trio.lowlevel.cancel_shielded_checkpoint()

    async def _stop(self, gen: PQGen[Any], *, begun: bool) -> None:
        """Ends a statement whose task was cancelled, so that the connection can be used again, or closes it."""
        if self.closed or self.pgconn.transaction_status != _ACTIVE:
            gen.close()
            return
        with trio.move_on_after(STOP_SECONDS, shield=True) as scope:
            with suppress(psycopg.Error):  # QueryCanceled, or whatever else ended it; the status tells
                await self._ask_until_ended(gen, begun)
        if scope.cancelled_caught:
            self.abort()

    async def _ask_until_ended(self, gen: PQGen[Any], begun: bool) -> None:
        while not self.closed:
            try:
                await self.cancel_safe(timeout=STOP_SECONDS)
            except psycopg.Error:
                self.abort()  # the server is out of reach
                return
            with trio.move_on_after(ASK_AGAIN_SECONDS):
                await self._drive(gen, begun=begun)
                return
            begun = True

    async def discard_results(self) -> None:
        """Stops what runs and reads all that is still to come, or closes the connection. Shielded."""
        if not self.closed and self.pgconn.transaction_status == _ACTIVE:
            await self._stop(_all_results(self.pgconn), begun=False)
            if not self.closed and self.pgconn.transaction_status == _ACTIVE:
                self.abort()

    async def cancel_safe(self, *, timeout: float = STOP_SECONDS) -> None:  # noqa: ASYNC109
        """Asks the server to cancel the running statement, and waits until it has passed that on.

        Shielded, and bounded by `timeout` in seconds. Raises errors.CancellationTimeout, psycopg.Error.
        """
        if not self._should_cancel():
            return
        with trio.move_on_after(timeout, shield=True) as scope:
            if capabilities.has_cancel_safe():
                await drive_alone(self._cancel_gen())
            else:
                await trio.to_thread.run_sync(self.cancel, abandon_on_cancel=True, limiter=_limiter)
        if scope.cancelled_caught:
            raise errors.CancellationTimeout("the server did not take the request to cancel in time")

    async def close(self) -> None:
        """As `abort`."""
        self.abort()

    def abort(self) -> None:
        """Closes the connection. A task that waits for it gets psycopg.OperationalError."""
        if not self.closed:
            trio.lowlevel.notify_closing(self.pgconn.socket)
        self._closed = True
        self.pgconn.finish()

    @property
    def has_input(self) -> bool:
        """Whether the server has sent something unasked, or has closed the connection."""
        return not self.closed and ready_now(self.pgconn.socket, _READ) != 0

    @property
    def at_rest(self) -> bool:
        """Whether the connection is open, runs nothing and is in no transaction."""
        return (
            self.pgconn.status == pq.ConnStatus.OK
            and self.pgconn.transaction_status == _IDLE
            and self.pgconn.pipeline_status == pq.PipelineStatus.OFF
        )


def _all_results(pgconn: PGconn) -> Generator[Any, Any, None]:
    """Reads what is left of a statement; a COPY is ended. Raises psycopg.Error, also of the statement's own."""
    while (result := (yield from generators.fetch(pgconn))) is not None:
        if result.status == pq.ExecStatus.COPY_IN:
            yield from generators.copy_end(pgconn, b"the client was cancelled")
        elif result.status == pq.ExecStatus.COPY_OUT:
            while isinstance((yield from generators.copy_from(pgconn)), memoryview):
                pass
