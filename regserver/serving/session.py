"""The life of a WebSocket session, on a socket or over ASGI: one task, one nursery, one queue.

Only the session's own task reads, in `receive` or `wait_closed`: without a reading endpoint nothing is read, and TCP slows
the peer down. Any task may call `send_nowait`, which never blocks: the frame is written straight to the transport. Bytes
that it does not take wait in a queue, bounded in bytes, and a drain task, which lives while the queue is not empty, sends
them. Past the bound the queue is dropped, except for the rest of a partly sent frame, and the session closes with
TRY_AGAIN_LATER.

The nursery has the endpoint in its body and the drain task as a child. It ends when the endpoint has returned, the Close
frames are exchanged and the queue is empty. Its deadline bounds first the handshake, later the closing. A lost connection
cancels it.
"""

import trio

from regserver.endpoint import CloseCode, Request, SessionClosed, SocketEndpoint, SocketSession
from regserver.serving.client_stream import LOST
from regserver.serving.session_core import SessionContext, SessionCore
from regserver.serving.transport import Transport


async def run_session(
    context: SessionContext, request: Request, transport: Transport, endpoint: SocketEndpoint
) -> None:
    """Serves one session to its end. Raises nothing but Cancelled."""
    try:
        async with trio.open_nursery() as nursery:
            session = SessionCore(context, request, transport, nursery)
            del request  # it may hold a token, and this frame lives as long as the session
            bucket = context.registry.join(session, is_pinged=transport.is_pinged)
            try:
                # Not an inner function, whose frame each idle session would hold.
                try:
                    served = endpoint(session)
                    del endpoint  # nor what it is made of: a partial function, for instance
                    await served
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
        transport.close(reset=session.unsent_bytes > 0)  # with a reset the kernel drops unsent bytes
        session.unsent_bytes = 0
        session.count_nowait()


async def receive_text(session: SocketSession) -> str:
    """The next message of a session for text only; a binary one closes it (RFC 6455, 7.4.1).

    Raises SessionClosed at the end of the session, with UNSUPPORTED_DATA after a binary message.
    """
    message = await session.receive()
    if isinstance(message, bytes):
        session.close_nowait(CloseCode.UNSUPPORTED_DATA, "text only")
        raise SessionClosed(CloseCode.UNSUPPORTED_DATA)
    return message
