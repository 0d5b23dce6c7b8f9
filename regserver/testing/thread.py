"""Servers in a thread of their own, for tests that are not in Trio's loop."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import trio

from regserver.testing.home import PATIENCE_SECONDS, Home
from regserver.testing.running import BlockingServer, TestedServer
from regserver.testing.server import server


class ServerThread:
    """A thread with a Trio loop, in which any number of servers run one after another or at once."""

    def __init__(self, home: Home, stop: trio.Event) -> None:
        self._home = home
        self._stop = stop

    @contextmanager
    def server(self, **settings: Mapping[str, Any]) -> Iterator[TestedServer]:
        """As testing.server, while the body runs in the caller's thread."""
        opened = server(**settings)
        running: Future[TestedServer] = Future()
        leave = trio.Event()

        async def run() -> None:
            # One task opens and closes it, since nurseries belong to the task that opens them.
            async with opened as it:
                running.set_result(it)
                await leave.wait()

        ended = self._home.submit(run)
        ended.add_done_callback(lambda done: _pass_on(done, running))
        it = running.result(PATIENCE_SECONDS)
        try:
            yield it
        finally:
            self._home.now(leave.set)
            ended.result(PATIENCE_SECONDS)

    def close(self) -> None:
        """Ends the loop. Called once, by `server_loop`."""
        self._home.now(self._stop.set)


def _pass_on(ended: "Future[None]", running: "Future[TestedServer]") -> None:
    """A server that could not start has a fault, which whoever waits for it gets."""
    if not running.done() and (fault := ended.exception()) is not None:
        running.set_exception(fault)


@contextmanager
def server_loop() -> Iterator[ServerThread]:
    """A thread for servers, while the body runs."""
    ready: Future[ServerThread] = Future()

    async def run() -> None:
        stop = trio.Event()
        ready.set_result(ServerThread(Home(), stop))
        await stop.wait()

    thread = threading.Thread(target=trio.run, args=(run,), name="regserver-testing", daemon=True)
    thread.start()
    loop = ready.result(PATIENCE_SECONDS)
    try:
        yield loop
    finally:
        loop.close()
        thread.join(PATIENCE_SECONDS)


@contextmanager
def server_thread(**settings: Mapping[str, Any]) -> Iterator[BlockingServer]:
    """A server in a thread of its own, for a plain test. settings: as of testing.server."""
    with server_loop() as loop, loop.server(**settings) as running:
        yield BlockingServer(running)
