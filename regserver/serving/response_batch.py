"""Responses that leave together, at the end of the event loop's step in which they were made.

A system call that sends goes through the kernel's whole network stack and wakes the client. Afterwards the processor's caches
have little of the interpreter left. So the requests of one step are answered one after another, and then their responses are
sent one after another: with 32 connections a request takes a fifth less of the processor. While each step answers one request
alone, its response leaves at once, so that the client has it while the connection prepares to wait.

What a socket does not take its connection sends itself, and what goes wrong its connection meets itself.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

import trio

from regserver.serving.client_stream import PlainStream

MOST: Final = 64
"""Responses that wait, at most: more would gain nothing, and be held in memory."""


class ResponseBatch(trio.abc.Instrument):
    """The responses of the present step. Trio tells when the step ends, which is before it waits for the kernel."""

    def __init__(self) -> None:
        self._waiting: list[tuple[PlainStream, bytes]] = []
        self._added = 0  # in this step
        self._is_shared = False  # the last step that answered anything answered several
        self._token: trio.lowlevel.TrioToken | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Sends while the body runs."""
        self._token = trio.lowlevel.current_trio_token()
        trio.lowlevel.add_instrument(self)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(self)
            self.flush_nowait()

    def add_nowait(self, stream: PlainStream, data: bytes) -> None:
        """Adds a whole response. Nothing else may be sent on its stream before the next step, and then `unsent` goes first."""
        self._added += 1
        if not self._is_shared:
            self._send_nowait(stream, data)
            return
        self._waiting.append((stream, data))
        if len(self._waiting) >= MOST:
            self.flush_nowait()

    def before_io_wait(self, timeout: float) -> None:
        """The end of a step; called by Trio, which would never again call what raises an exception here."""
        if self._added:
            self._is_shared = self._added > 1
            self._added = 0
            self.flush_nowait()

    def flush_nowait(self) -> None:
        """Sends all that waits."""
        waiting, self._waiting = self._waiting, []
        for stream, data in waiting:
            self._send_nowait(stream, data)

    def _send_nowait(self, stream: PlainStream, data: bytes) -> None:
        try:
            taken = stream.send_nowait(data)
        except Exception:  # whatever it is, the connection tries again and meets it too
            taken = 0
        if taken == len(data):
            return
        # The peer is gone, or has sent further requests without reading the answers to earlier ones.
        stream.unsent = data[taken:]
        # Trio has decided how long it waits, so no task can be woken here. What is queued ends its wait.
        assert self._token is not None  # noqa: S101  (it is open)
        self._token.run_sync_soon(stream.interrupt_nowait)
