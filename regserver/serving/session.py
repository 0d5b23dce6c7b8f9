"""A WebSocket session: one task, one nursery, one queue, and sending that never blocks. On a socket or over ASGI.

All reading happens in the session's own task, inside `receive` or `wait_closed`: nothing is read while the endpoint does
not ask, and TCP passes that on to the peer. Sending happens in whatever task calls `send_nowait`: the frame goes straight
to the transport while that takes it. What it does not take waits in a queue, bounded in bytes, and a drain task that
lives as long as the queue is not empty empties it. Past the bound the peer is too slow: the queue is dropped, except
for the rest of a frame that is half sent, and the session closes with TRY_AGAIN_LATER.

The nursery holds the endpoint and the drain task. It ends when the endpoint has returned, the Close frames are exchanged
and the queue is empty; its deadline bounds the handshake first and the closing later. A lost connection cancels it.
"""

import trio

from regserver.endpoint import CloseCode, Request, SessionClosed, SocketEndpoint, SocketSession
from regserver.serving.client_stream import LOST
from regserver.serving.session_core import SessionContext, SessionCore
from regserver.serving.transport import Transport


async def run_session(
    context: SessionContext, request: Request, transport: Transport, endpoint: SocketEndpoint
) -> None:
    """Serves one session to its very end. Raises nothing but Cancelled."""
    try:
        async with trio.open_nursery() as nursery:
            session = SessionCore(context, request, transport, nursery)
            del request  # it may hold a token, and this frame lives as long as the session
            bucket = context.registry.join(session, is_pinged=transport.is_pinged)
            try:
                # Not a function of its own: it would be one frame more that each idle session keeps.
                try:
                    await endpoint(session)
                except* SessionClosed:
                    pass
                except* Exception as group:
                    session.fail_nowait(group)
                session.return_nowait()
                await session.wait_closed()
            finally:
                bucket.discard(session)
                session.leave_nowait()
        if session.rejection is not None:
            await transport.reject(session.rejection)
        if session.rejection is not None or not nursery.cancel_scope.cancelled_caught:
            await transport.finish()
    except LOST:
        pass
    finally:
        transport.close(reset=session.unsent_bytes > 0)  # the kernel shall not go on trying


async def receive_text(session: SocketSession) -> str:
    """The next message for an endpoint that takes text only; a binary one ends the session (RFC 6455, 7.4.1).

    Raises SessionClosed when there will be none, with UNSUPPORTED_DATA when that was the reason.
    """
    message = await session.receive()
    if isinstance(message, bytes):
        session.close_nowait(CloseCode.UNSUPPORTED_DATA, "text only")
        raise SessionClosed(CloseCode.UNSUPPORTED_DATA)
    return message
