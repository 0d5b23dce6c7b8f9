"""One frame to many sessions, at little more than the cost of the system calls.

One call of `send_nowait` per session would take a tenth of the time. So the loop over the sessions runs inside the
interpreter's C code, on `direct` of each session, which writes straight to the socket. A session that cannot take the whole
frame shows as an exception or a short count, and only that session is handled by a Python call.
"""

from collections.abc import Sequence
from itertools import repeat
from operator import call

from regserver.endpoint import Frame, Receiver


def broadcast_nowait(frame: Frame, receivers: Sequence[Receiver]) -> None:
    """Sends a frame to all receivers. The caller takes a checkpoint between slices of a long list."""
    size = len(frame)
    sends = iter([receiver.direct for receiver in receivers])
    taken: list[int] = []
    while len(taken) < len(receivers):
        try:
            # After an exception the counts before it are in the list, and the iterator is past the failed receiver.
            taken.extend(map(call, sends, repeat(frame)))
        except OSError:
            receivers[len(taken)].send_nowait(frame)
            taken.append(size)
    if taken.count(size) < len(taken):
        for receiver, count in zip(receivers, taken, strict=True):
            if count < size:
                receiver.send_rest_nowait(frame, count)


def not_direct(_: bytes) -> int:
    """The `direct` of a session that cannot be written to directly."""
    raise BlockingIOError
