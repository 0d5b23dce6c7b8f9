"""GET /room/events: what the WebSocket of the rooms says, as Server-Sent Events.

    session → Resumed → what was missed, page by page → attach to the broker → live, until the client or the token is gone

Each event's id is a cursor, so a client that was cut off goes on where it was by `Last-Event-ID`, as browsers do by themselves.
"""

from collections.abc import AsyncGenerator

import msgspec

from regserver.domain.cursor import CursorSeal
from regserver.domain.outcome import BadCursor, Refusal, TooManySockets
from regserver.domain.room_event import Audience, Position, RoomEvent, audience
from regserver.domain.secret import SecretHash
from regserver.endpoint import Frame, Request
from regserver.ports.broker import Broker
from regserver.ports.store import StoreFault
from regserver.service.recovery_service import Page, RecoveryService, Resumption
from regserver.service.room_admission import RoomAdmission, Unadmitted
from regserver.web.http.bearer import bearer
from regserver.web.http.event_stream import RETRY, EventStreamHead
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.rooms.listen_wire import RoomEventStream, StreamWish, read_stream_wish
from regserver.web.rooms.notification import Resumed, encode, notification
from regserver.web.rooms.stream_listener import StreamListener


def stream_chunk(seal: CursorSeal, event: RoomEvent, role: Audience) -> Frame:
    """An event for this audience, as it stands in a stream."""
    return Frame(_chunk(seal.write(event.position), encode(notification(event, role))))


def _chunk(cursor: str, text: bytes) -> bytes:
    return b"id: %b\ndata: %b\n\n" % (cursor.encode(), text)


class RoomStreamApi(msgspec.Struct, frozen=True):
    """The stream of the rooms. max_sockets: of one account, streams among them. queue_bytes: of one stream."""

    admission: RoomAdmission
    recovery: RecoveryService
    broker: Broker
    seal: CursorSeal
    max_sockets: int
    queue_bytes: int
    listeners: set[StreamListener]

    def routes(self) -> tuple[Route, ...]:
        """The one."""
        stream = pipeline(self.stream, bearer, read_stream_wish)
        return (Route("rooms.stream", "GET", "/room/events", stream, "socket"),)

    async def stop(self) -> None:
        """Ends all streams, since the server stops."""
        for listener in self.listeners:
            listener.stop_nowait()

    async def stream(
        self, request: Request, token: SecretHash, wish: StreamWish
    ) -> RoomEventStream | EventStreamHead | Unadmitted | TooManySockets | BadCursor:
        """Listen to the rooms as Server-Sent Events, from Last-Event-ID or from now on.

        The data of each is a notification as on the WebSocket, and its id the cursor. An event named `end` tells why the
        server ends the stream: BadToken or UserIsDeleted, when a client shall not come again, or TooManySockets.
        """
        position = None if wish.last_event_id is None else self.seal.read(wish.last_event_id)
        if wish.last_event_id is not None and position is None:
            return BadCursor()
        session = await self.admission.session(token)
        if isinstance(session, Refusal):
            return session
        if self.broker.count(session.account) >= self.max_sockets:
            return TooManySockets()
        if request.method == "HEAD":
            return EventStreamHead()
        start = await self._begin(token, position, wish)
        if isinstance(start, Refusal):
            return start
        listener = StreamListener(session, self.queue_bytes, wish)
        first = self.seal.write(start.start)
        resumed = _chunk(first, encode(Resumed(first, start.recovered, start.missed)))
        return RoomEventStream(body=RETRY + resumed, stream=self._stream(listener, start))

    async def _begin(
        self, token: SecretHash, position: Position | None, wish: StreamWish
    ) -> Resumption | Unadmitted:
        async with self.recovery.turns:
            return await self.recovery.begin(token, position, echo=wish.echo, edits=wish.edits)

    async def _stream(self, listener: StreamListener, start: Resumption) -> AsyncGenerator[bytes, None]:
        if self.broker.count(listener.account) >= self.max_sockets:  # others have come meanwhile
            listener.end_nowait(TooManySockets())
        self.listeners.add(listener)
        self.broker.enter_nowait(listener)
        try:
            async for chunk in self._catch_up(listener, start):
                yield chunk
            while (chunk_or_end := await listener.next()) is not None:
                yield chunk_or_end
        except StoreFault:
            return  # the client comes again, and is told then if the store is still unavailable
        finally:
            self.listeners.discard(listener)
            self.broker.detach_nowait(listener)
            self.admission.note_use(listener.token)

    async def _catch_up(self, listener: StreamListener, start: Resumption) -> AsyncGenerator[bytes, None]:
        """What was missed, at the client's pace; attaches the listener where the log ends."""
        attached, echo, edits = False, listener.echo, listener.edits
        reader = self.recovery.reader(listener.account, start.start, echo=echo, edits=edits)
        while not attached:
            async with self.recovery.turns:
                if (page := await reader.next()) is None:
                    # The log was cut between two pages. The client comes again, and reads recovered: false.
                    listener.stop_nowait()
                    return
            # Before the page is sent: what comes while the client takes it waits behind it.
            attached = page.rooms is not None and self.broker.attach_nowait(listener, page.rooms, page.end)
            if chunk := self._encode(page, listener):
                yield chunk

    def _encode(self, page: Page, listener: StreamListener) -> bytes:
        account, echo, edits = listener.account, listener.echo, listener.edits
        heard = [(event, audience(event, account, echo=echo, edits=edits)) for event in page.events]
        return b"".join([stream_chunk(self.seal, event, role) for event, role in heard if role is not None])
