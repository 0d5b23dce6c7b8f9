"""A live registration, watched to its end."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec

from regserver.client.fault import BadAnswer, ClientFault, Unreachable
from regserver.client.pause import Pauses
from regserver.client.refusal import Refused
from regserver.client.socket import Closed, OpenSockets, Socket, open_socket
from regserver.client.transport import AGAIN, HttpTransport
from regserver.client.wire import Session

UNKNOWN = 1008


class RegistrationLost(ClientFault):
    """Nobody knows the registration any more: it ended too long ago, or the server was restarted. Sign in again."""


class Progress(msgspec.Struct, frozen=True, rename="camel"):
    """One event. total_steps: -1 until it is known. message: fit for the person to read."""

    event_type: Literal["INFORMATION", "NAME", "AUTHENTICATION", "FAILURE"]
    step: int
    total_steps: int
    message: str
    additional_data: dict[str, Any] = {}

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.event_type in {"AUTHENTICATION", "FAILURE"}


class Registration(AsyncIterator[Progress]):
    """All its events from the first one, each once, also over a lost connection.

        async for event in registration:
            print(event.step, event.message)
        registration.session     # signed in; None after a FAILURE

    location: anybody who knows it may watch.
    """

    def __init__(self, transport: HttpTransport, sockets: OpenSockets, location: str, pauses: Pauses) -> None:
        self.location = location
        self.session: Session | None = None
        self._transport = transport
        self._sockets = sockets
        self._pauses = pauses
        self._socket: Socket | None = None
        self._seen = 0
        self._is_over = False

    async def __anext__(self) -> Progress:
        if self._is_over:
            raise StopAsyncIteration
        event = await self._next()
        self._seen += 1
        if event.is_last:
            await self.aclose()
            self._finish(event)
        return event

    async def aclose(self) -> None:
        """Stops watching; the registration goes on."""
        self._is_over = True
        if self._socket is not None:
            await self._socket.aclose()

    async def _next(self) -> Progress:
        while True:
            try:
                if self._socket is None:
                    self._socket = await self._open()
                event = _read(await self._socket.text())
            except (Closed, Unreachable) as fault:
                await self._lost(fault)
            except Refused as refusal:
                if refusal.status not in AGAIN:
                    raise
                await self._lost(refusal)
            else:
                self._pauses.reset()
                return event

    async def _open(self) -> Socket:
        """A socket that has told what was seen before: the server tells a registration from its beginning."""
        socket = await open_socket(self._transport, self._sockets, self.location, None)
        try:
            for _ in range(self._seen):
                await socket.text()
        except BaseException:
            await socket.aclose()
            raise
        return socket

    async def _lost(self, fault: Exception) -> None:
        if self._socket is not None:
            await self._socket.aclose()
            self._socket = None
        if isinstance(fault, Closed) and fault.code == UNKNOWN:
            self._is_over = True
            raise RegistrationLost("unknown to the server") from None
        await self._pauses.wait(fault)

    def _finish(self, event: Progress) -> None:
        if event.event_type == "AUTHENTICATION":
            data = event.additional_data
            self.session = Session(data["userId"], data["token"])
            self._transport.token = self.session.token


def _read(text: str) -> Progress:
    try:
        return msgspec.json.decode(text, type=Progress)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"an event of a registration: {error}") from None
