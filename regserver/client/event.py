"""What happens in one's rooms: nothing missed and nothing twice, over lost connections and restarts of either side.

    connect with the cursor ──▶ Resumed ──▶ what was missed ──▶ live frames, each with its cursor
         ▲                                                          │ returned to the caller: the cursor moves on
         └──────────── pause ◀── the connection is lost ◀───────────┘

What was received and not yet returned is forgotten with its connection, and comes again by the cursor.
"""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import msgspec

from regserver.client.fault import BadAnswer, Unreachable
from regserver.client.notification import (
    FRAME_TYPES,
    Frame,
    Gap,
    Notification,
    Other,
    Resumed,
    RoomNotification,
)
from regserver.client.pause import Pauses
from regserver.client.refusal import REFUSALS, Refused, TooManySockets, refused
from regserver.client.socket import Closed, OpenSockets, Socket, open_socket
from regserver.client.transport import AGAIN, HttpTransport

_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


class Wish(msgspec.Struct, frozen=True):
    """What is to be heard. since: a cursor; None for what happens from now on."""

    since: str | None = None
    echo: bool = False
    edits: bool = False
    seen: bool = False
    presence: bool = False


class RoomEvents(AsyncIterator[Notification]):
    """The notifications, as long as somebody asks for them. `async with` connects at once and closes at the end.

    cursor: where to go on from after what was returned; None before the first connection.
    """

    def __init__(self, transport: HttpTransport, sockets: OpenSockets, wish: Wish, pauses: Pauses) -> None:
        self.cursor = wish.since
        self._transport = transport
        self._sockets = sockets
        self._wish = wish
        self._pauses = pauses
        self._socket: Socket | None = None
        self._gap: Gap | None = None
        self._is_over = False

    async def __aenter__(self) -> Self:
        while self._socket is None:
            await self._reconnect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops listening; the iteration ends."""
        self._is_over = True
        await self._drop()

    async def __anext__(self) -> Notification:
        """Raises BadToken or UserIsDeleted when the token ends; Unreachable when the patience does."""
        while not self._is_over:
            if self._gap is not None:
                gap, self._gap = self._gap, None
                return gap
            if self._socket is None:
                await self._reconnect()
                continue
            try:
                notification = _read(await self._socket.text())
            except Closed as closed:
                await self._lost(closed)
                continue
            self._pauses.reset()
            return self._note(notification)
        raise StopAsyncIteration

    def _note(self, notification: Notification) -> Notification:
        if isinstance(notification, RoomNotification) and notification.cursor is not None:
            self.cursor = notification.cursor
        return notification

    async def _reconnect(self) -> None:
        """One attempt, and a pause if it fails."""
        try:
            self._socket = await self._open()
        except (Closed, Unreachable) as fault:
            await self._lost(fault)
        except Refused as refusal:
            if not (isinstance(refusal, TooManySockets) or refusal.status in AGAIN):
                raise
            await self._lost(refusal)

    async def _open(self) -> Socket:
        socket = await open_socket(self._transport, self._sockets, self._url(), self._transport.token)
        try:
            resumed = _resumed(await socket.text())
        except BaseException:
            await socket.aclose()
            raise
        self.cursor = resumed.cursor
        if not resumed.recovered:
            self._gap = Gap(resumed.cursor or "")
        return socket

    def _url(self) -> str:
        query = {"since": self.cursor or ""}
        query |= {name: "true" for name in ("echo", "edits", "seen", "presence") if getattr(self._wish, name)}
        return f"ws{self._transport.url.removeprefix('http')}/room/websocket?{urlencode(query)}"

    async def _lost(self, fault: Exception) -> None:
        await self._drop()
        if not self._is_over:
            await self._pauses.wait(fault)

    async def _drop(self) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            await socket.aclose()


def _read(text: str) -> Notification:
    """Raises a Refused for the bare name with which the server ends a socket."""
    frame = _decode(text)
    if isinstance(frame, Resumed):
        raise BadAnswer("a second beginning on one socket")
    return frame


def _resumed(text: str) -> Resumed:
    frame = _decode(text)
    if not isinstance(frame, Resumed):
        raise BadAnswer("no beginning on a socket")
    return frame


def _decode(text: str) -> Notification | Resumed:
    if text in REFUSALS:
        raise refused(text, 0, None, {})
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
        return _decoder.decode(text) if fields.get("type") in FRAME_TYPES else Other(fields)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"a notification: {error}") from None
