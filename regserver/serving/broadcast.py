"""One frame to many sessions, at little more than the cost of the system calls.

A call of `send_nowait` per session would cost a tenth of the whole. So the loop over the sessions runs inside the
interpreter's own C code, on what each session has for writing straight to its socket; whatever is out of the ordinary
with one of them shows as an exception or as a short count, and only that one takes the long way.
"""

from collections.abc import Sequence
from itertools import repeat
from operator import call

from regserver.endpoint import Frame, Receiver


def broadcast_nowait(frame: Frame, receivers: Sequence[Receiver]) -> None:
    """Sends a frame to all of them; it is up to the caller to take a checkpoint between slices of a long list."""
    size = len(frame)
    sends = iter([receiver.direct for receiver in receivers])
    taken: list[int] = []
    while len(taken) < len(receivers):
        try:
            # What was appended before an exception stays, and the iterator is past the one that raised it.
            taken.extend(map(call, sends, repeat(frame)))
        except OSError:
            receivers[len(taken)].send_nowait(frame)
            taken.append(size)
    if taken.count(size) < len(taken):
        for receiver, count in zip(receivers, taken, strict=True):
            if count < size:
                receiver.send_rest_nowait(frame, count)


def not_direct(_: bytes) -> int:
    """The `direct` of a session that cannot be written to just now."""
    raise BlockingIOError
