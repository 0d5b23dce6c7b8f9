"""Time bounds of requests over HTTP/2, where Hypercorn reads and writes: the same as over HTTP/1.1.

A request whose body is not complete after body_seconds is answered with 408. A response is cancelled when the client reads
nothing of it for write_seconds. To notice progress, a long body is sent in parts: Hypercorn returns from each part when the
peer has taken most of it.
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
    """Wraps an ASGI application: HTTP requests get the time bounds, everything else is passed on."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _BoundedRequest(receive, send, limits, metrics).serve(app, scope)
        else:
            await app(scope, receive, send)

    return serve


class _BoundedRequest:
    """One request. At a bound it cancels the application, which knows nothing of bounds."""

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
                self._body_due = float("inf")  # further calls wait for the client to disconnect
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
        response = refusal(408, self._limits)
        fields = [(name.encode(), value.encode("latin-1")) for name, value in response_fields(response)]
        with trio.move_on_after(self._limits.write_seconds):
            await self._send({"type": "http.response.start", "status": response.status, "headers": fields})
            await self._send({"type": "http.response.body", "body": response.body, "more_body": False})


def _parts(message: AsgiMessage) -> Iterator[AsgiMessage]:
    """A message of a response, split into messages of at most _PART_BYTES of body."""
    body = message.get("body", b"")
    if len(body) <= _PART_BYTES:
        yield message
        return
    for first in range(0, len(body), _PART_BYTES):
        more = message.get("more_body", False) or first + _PART_BYTES < len(body)
        yield {**message, "body": body[first : first + _PART_BYTES], "more_body": more}
