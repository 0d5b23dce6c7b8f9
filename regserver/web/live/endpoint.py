"""Watching a live registration: by WebSocket, as the seed has it, or as Server-Sent Events.

Both read the job's history from its first event, each observer at its own pace: what there is leaves in one write, up to
PIECE_BYTES, and the next is encoded when the peer has taken it. So an observer holds little in memory, however long the history.

    WS  /register/{id}         a text frame per event; 1000 after the last, 1001 when the server stops,
                               1008 for an unknown id, 1013 when the peer takes nothing for STUCK_SECONDS
    GET /register/{id}/events  the same as text/event-stream, ids from 1; goes on behind Last-Event-ID
    ?eta=1                     adds etaSeconds to each: whole seconds still to wait, null where nobody can tell
"""

from collections.abc import AsyncGenerator, Mapping

import trio

from regserver.domain.outcome import RegistrationNotFound
from regserver.endpoint import CloseCode, Request, SocketSession
from regserver.service.live_history import LiveHistory
from regserver.service.live_service import LiveService
from regserver.web.http.event_stream import HEARTBEAT, HEARTBEAT_SECONDS, RETRY, EventStream, EventStreamHead
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route, SocketRoute
from regserver.web.live import wire
from regserver.web.live.socket_observer import SocketObserver, encode_event

EVENTS_PER_TURN = 64
"""Events between two checkpoints, so that a long history does not delay other tasks."""


class LiveApi:
    """The endpoints of observers."""

    def __init__(self, live: LiveService) -> None:
        self._live = live

    def routes(self) -> tuple[Route, ...]:
        """The one."""
        stream = pipeline(self.stream, wire.read_watch_wish)
        return (Route("live.stream", "GET", "/register/{registration}/events", stream, "socket"),)

    def sockets(self) -> tuple[SocketRoute, ...]:
        """The one."""
        pattern = "/register/{registration}"
        return (SocketRoute("live.watch", pattern, self.watch, "socket", wire.AnyLiveFrame, wire.WatchWish),)

    async def watch(self, session: SocketSession, params: Mapping[str, str]) -> None:
        """Serves one observer's socket to its end."""
        eta = wire.read_watch_wish(session.request).eta
        session.accept_nowait()
        job = await self._live.find(params["registration"])
        if job is None:
            return session.close_nowait(CloseCode.POLICY_VIOLATION, "unknown registration")
        observer = SocketObserver(job, session, eta=eta)
        job.attach(observer)
        try:
            observer.more_nowait()
            await session.wait_closed()
        finally:
            job.detach(observer)
        return None

    async def stream(
        self, request: Request, wish: wire.WatchWish
    ) -> EventStream | EventStreamHead | RegistrationNotFound | None:
        """Watch a registration as Server-Sent Events, one for each event so far and to come.

        The same events come over a WebSocket at `/register/{registration}`. 204 tells an EventSource not to come again.
        """
        job = await self._live.find(request.params["registration"])
        if job is None:
            return RegistrationNotFound()
        seen = wish.last_event_id
        if job.over and seen >= len(job.history):
            return None  # which tells an EventSource not to come again (HTML, 9.2.3)
        if request.method == "HEAD":
            return EventStreamHead()
        body, seen = _encode_events(job, min(seen, len(job.history)), eta=wish.eta)
        return EventStream(body=RETRY + body, stream=_stream(job, seen, eta=wish.eta))


async def _stream(job: LiveHistory, seen: int, *, eta: bool) -> AsyncGenerator[bytes, None]:
    while True:
        more = None
        with trio.move_on_after(HEARTBEAT_SECONDS):
            more = await job.more(seen)
        if more is None:
            yield HEARTBEAT
        elif not more:
            return
        else:
            body, seen = _encode_events(job, seen, eta=eta)
            yield body


def _encode_events(job: LiveHistory, seen: int, *, eta: bool) -> tuple[bytes, int]:
    """The next events after `seen`, and how many have been seen with them."""
    events = job.history[seen : seen + EVENTS_PER_TURN]
    encoded = [
        b"id: %d\ndata: %b\n\n" % (number, encode_event(job, shown, eta=eta))
        for number, shown in enumerate(events, seen + 1)
    ]
    return b"".join(encoded), seen + len(events)
