"""How the broker makes and sends the frames of each kind of socket."""

from functools import partial

from regserver.broker.making import Making
from regserver.domain.cursor import CursorSeal
from regserver.serving import broadcast_nowait
from regserver.web.http.dispatch import WebParts
from regserver.web.rooms.notification import notification_frame, resumable_frame
from regserver.web.rooms.sign import sign_chunk, sign_frame
from regserver.web.rooms.stream import stream_chunk


def frame_making(seal: CursorSeal, web: WebParts) -> Making:
    """seal: of the cursors. web: counts what is delivered."""
    return Making(
        frames={
            "plain": notification_frame,
            "resumable": partial(resumable_frame, seal),
            "stream": partial(stream_chunk, seal),
        },
        signs={"plain": sign_frame, "resumable": sign_frame, "stream": sign_chunk},
        broadcast=broadcast_nowait,
        count=web.metrics.delivered,
    )
