"""The states of a session and of a connection: every state with every event, in the table and in a real session."""

from collections.abc import Callable
from typing import ClassVar, NoReturn

import pytest
import trio

from regserver.endpoint import CloseCode, Frame, Request, Response
from regserver.serving import FrontLimits, NoMetrics, connection_state, session_state, text_frame
from regserver.serving.broadcast import not_direct
from regserver.serving.connection_state import ConnectionEvent, ConnectionState
from regserver.serving.held import unbounded_held
from regserver.serving.inbound import Inbound, Lost, PeerClosed, Received
from regserver.serving.registry import Registry
from regserver.serving.session_core import SessionContext, SessionCore
from regserver.serving.session_state import SessionEvent, SessionState
from regserver.serving.transport import Greeting


class Script:
    """A transport that never takes anything, and whose peer says what the test says."""

    is_pinged: ClassVar[bool] = True
    awaits_close: ClassVar[bool] = True
    send_nowait: Callable[[bytes], int] = staticmethod(not_direct)

    def __init__(self) -> None:
        self.held = unbounded_held(FrontLimits())

    def accept(self) -> Greeting:
        return Greeting(b"101", b"")

    async def send_queued(self, queue: list[bytes]) -> NoReturn:
        await trio.sleep_forever()

    async def receive(self) -> NoReturn:
        await trio.sleep_forever()

    def decode(self, received: Inbound) -> tuple[Inbound, ...]:
        return (received,)

    async def reject(self, response: Response) -> None: ...
    async def finish(self) -> None: ...
    def close(self, *, reset: bool) -> None: ...


FRAME: Frame = text_frame("x")
CAUSES: dict[SessionEvent, Callable[[SessionCore], object]] = {
    SessionEvent.ACCEPT: lambda session: session.accept_nowait(),
    SessionEvent.REJECT: lambda session: session.reject_nowait(Response(status=403)),
    SessionEvent.SEND: lambda session: session.send_nowait(FRAME),
    SessionEvent.MESSAGE: lambda session: session._take(Received("x")),
    SessionEvent.CLOSE: lambda session: session.close_nowait(CloseCode.GOING_AWAY),
    SessionEvent.PEER_CLOSED: lambda session: session._take(PeerClosed(CloseCode.NORMAL)),
    SessionEvent.LOST: lambda session: session._take(Lost(CloseCode.ABNORMAL)),
}
WAYS: dict[SessionState, tuple[SessionEvent, ...]] = {
    SessionState.HANDSHAKE: (),
    SessionState.OPEN: (SessionEvent.ACCEPT,),
    SessionState.CLOSING: (SessionEvent.ACCEPT, SessionEvent.CLOSE),
    SessionState.OVER: (SessionEvent.ACCEPT, SessionEvent.LOST),
}
# What one call leads to where that is more than one event: see session_state.py.
SEVERAL = {
    (SessionState.HANDSHAKE, SessionEvent.CLOSE): SessionState.OVER,  # a rejection
    (SessionState.HANDSHAKE, SessionEvent.PEER_CLOSED): SessionState.OVER,
    (SessionState.OPEN, SessionEvent.PEER_CLOSED): SessionState.OVER,  # answered first
}


@pytest.mark.parametrize("event", SessionEvent)
@pytest.mark.parametrize("state", SessionState)
async def test_every_event_in_every_state_of_a_session(state: SessionState, event: SessionEvent) -> None:
    limits = FrontLimits()
    context = SessionContext(limits, NoMetrics(), Registry(limits))
    async with trio.open_nursery() as nursery:
        session = SessionCore(context, Request(method="GET", path="/"), Script(), nursery)
        for before in WAYS[state]:
            CAUSES[before](session)
        assert session._state is state
        CAUSES[event](session)
        expected = session_state.TRANSITIONS[state].get(event, state)
        assert session._state is SEVERAL.get((state, event), expected)
        assert session.direct is not_direct or session._state is SessionState.OPEN
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("state", SessionState)
async def test_a_frame_is_taken_where_the_table_says(state: SessionState) -> None:
    limits = FrontLimits()
    async with trio.open_nursery() as nursery:
        context = SessionContext(limits, NoMetrics(), Registry(limits))
        session = SessionCore(context, Request(method="GET", path="/"), Script(), nursery)
        for before in WAYS[state]:
            CAUSES[before](session)
        waiting = session.unsent_bytes
        taken = session.send_nowait(FRAME)
        assert taken == (SessionEvent.SEND in session_state.TRANSITIONS[state])
        assert session.unsent_bytes - waiting == (len(FRAME) if taken else 0)
        nursery.cancel_scope.cancel()


def test_a_session_that_is_over_stays_so() -> None:
    assert session_state.TRANSITIONS[SessionState.OVER] == {}
    assert set(session_state.TRANSITIONS) == set(SessionState)


def test_each_state_of_a_connection_is_bounded_by_the_client_or_by_the_endpoint() -> None:
    limits = FrontLimits(head_seconds=1, body_seconds=2, idle_seconds=3)
    assert connection_state.timeouts(limits) == {
        ConnectionState.FRESH: 1,
        ConnectionState.IDLE: 3,
        ConnectionState.HEAD: 1,
        ConnectionState.BODY: 2,
        ConnectionState.ANSWERING: connection_state.NEVER,
        ConnectionState.SWITCHED: connection_state.NEVER,
    }


# A letter a state, in the order of the events: PART, PART_OF_BODY, REQUEST, ANSWERED, REFUSED, SWITCHED, BEHIND.
CONNECTION = {
    ConnectionState.FRESH: "HBA-AS-",
    ConnectionState.IDLE: "HBA-A-A",
    ConnectionState.HEAD: "-BA-AS-",
    ConnectionState.BODY: "--A-A--",
    ConnectionState.ANSWERING: "---I---",
    ConnectionState.SWITCHED: "-------",
}


@pytest.mark.parametrize("state", ConnectionState)
def test_every_event_in_every_state_of_a_connection(state: ConnectionState) -> None:
    row = connection_state.TRANSITIONS[state]
    assert (
        "".join(row[event].name[0] if event in row else "-" for event in ConnectionEvent) == CONNECTION[state]
    )
