"""Time bounds of a request over HTTP/2, where Hypercorn reads and writes: those that a request over HTTP/1.1 has.

A body that has not come after body_seconds ends its request with 408. A client that takes nothing of a response for
write_seconds loses it; one that reads slowly does not. For that, a long body is passed on in parts, since the server
below returns from each when the peer has taken most of it.
"""

from collections.abc import Iterator
from typing import Final

import trio

from regserver.serving.answer import refusal, response_fields
from regserver.serving.asgi import AsgiApp, AsgiMessage, Receive, Scope, Send
from regserver.serving.limit import FrontLimits
from regserver.serving.metric import FrontMetrics

_PART_BYTES: Final = 16 * 1024


def bounded_requests(app: AsgiApp, limits: FrontLimits, metrics: FrontMetrics) -> AsgiApp:
    """Wraps an ASGI application: its HTTP requests get the time bounds, all else goes through unchanged."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _BoundedRequest(receive, send, limits, metrics).serve(app, scope)
        else:
            await app(scope, receive, send)

    return serve


class _BoundedRequest:
    """One request. Out of time, it cancels the application, which need not know of any bound."""

    def __init__(self, receive: Receive, send: Send, limits: FrontLimits, metrics: FrontMetrics) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._metrics = metrics
        self._scope = trio.CancelScope()
        self._body_due = trio.current_time() + limits.body_seconds
        self._is_answered = False

    async def serve(self, app: AsgiApp, scope: Scope) -> None:
        with self._scope:
            await app(scope, self._bounded_receive, self._bounded_send)
        if self._scope.cancelled_caught and not self._is_answered:
            self._metrics.request_refused(408)
            await self._refuse()

    async def _bounded_receive(self) -> AsgiMessage:
        with trio.move_on_at(self._body_due):
            message = await self._receive()
            if not message.get("more_body", False):
                self._body_due = float("inf")  # from here on it waits for the client to go
            return message
        return await self._give_up()

    async def _bounded_send(self, message: AsgiMessage) -> None:
        self._is_answered = True
        for part in _parts(message):
            with trio.move_on_after(self._limits.write_seconds) as patience:
                await self._send(part)
            if patience.cancelled_caught:
                await self._give_up()

    async def _give_up(self) -> AsgiMessage:
        self._scope.cancel()
        return await trio.sleep_forever()

    async def _refuse(self) -> None:
        response = refusal(408)
        fields = [(name.encode(), value.encode("latin-1")) for name, value in response_fields(response)]
        with trio.move_on_after(self._limits.write_seconds):
            await self._send({"type": "http.response.start", "status": response.status, "headers": fields})
            await self._send({"type": "http.response.body", "body": response.body, "more_body": False})


def _parts(message: AsgiMessage) -> Iterator[AsgiMessage]:
    """A response's message as several, none of which has a long body."""
    body = message.get("body", b"")
    if len(body) <= _PART_BYTES:
        yield message
        return
    for first in range(0, len(body), _PART_BYTES):
        more = message.get("more_body", False) or first + _PART_BYTES < len(body)
        yield {**message, "body": body[first : first + _PART_BYTES], "more_body": more}
