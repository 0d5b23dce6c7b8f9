"""Receivers that all get the same frames, a slice of them after another.

    add_nowait → the frame waits for every receiver
    turn_nowait → the slice that is furthest behind gets all that waits for it, in one write a receiver

What comes after the first slices were written to leaves together with the earlier frames in the writes of the others. So frames
that come close together cost most receivers one write, though the first of them has waited for nothing.
"""

from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from regserver.endpoint import Broadcast, Frame, Receiver

SEND_BYTES = 16 * 1024
"""Copying this many bytes takes about as long as one send."""


class Slice(msgspec.Struct):
    """Neighbours among the receivers, from `start` to before `stop`, that have had the first `had` frames."""

    start: int
    stop: int
    had: int


class RoundRobin:
    """behind: how many frames those have not had who are furthest behind. behind_bytes: their size."""

    def __init__(
        self,
        receivers: Sequence[Receiver],
        size: int,
        broadcast: Broadcast,
        count: Callable[[int, int], None],
    ) -> None:
        """size: sends in a turn. count: see Making."""
        self._receivers = receivers
        self._size = size
        self._broadcast = broadcast
        self._count = count
        self._slices = deque([Slice(0, len(receivers), 0)] if receivers else ())  # the furthest behind first
        self._waiting: list[tuple[Frame, AbstractSet[Receiver]]] = []
        self._forgotten = 0  # frames that all have had
        self._joined = (-1, -1, Frame(b""))
        self.behind_bytes = 0

    @property
    def behind(self) -> int:
        return len(self._waiting)

    def add_nowait(self, frame: Frame, deaf: AbstractSet[Receiver] = frozenset()) -> None:
        """Adds a frame. deaf: receivers that do not get it."""
        self._waiting.append((frame, deaf))
        self.behind_bytes += len(frame)

    def turn_nowait(self) -> int:
        """Writes to the next slice. Returns what that costs, in sends; 0 when everybody has had everything."""
        end = self._forgotten + len(self._waiting)
        if not self._slices or self._slices[0].had == end:
            return 0
        front = self._slices[0]
        written = self._written(front.had, end)
        cost = max(1, len(written) // SEND_BYTES)
        first, stop = front.start, min(front.stop, front.start + max(1, self._size // cost))
        self._send(written, self._waiting[front.had - self._forgotten :], self._receivers[first:stop])
        self._advance(stop, end)
        return (stop - first) * cost

    def _written(self, had: int, end: int) -> Frame:
        """The frames from `had` to `end` as one, which all slow receivers share."""
        if self._joined[:2] != (had, end):
            self._joined = had, end, join([frame for frame, _ in self._waiting[had - self._forgotten :]])
        return self._joined[2]

    def _send(
        self,
        written: Frame,
        waiting: Sequence[tuple[Frame, AbstractSet[Receiver]]],
        receivers: Sequence[Receiver],
    ) -> None:
        deaf = set[Receiver]().union(*[those for _, those in waiting])
        if deaf and not deaf.isdisjoint(receivers):
            for one in deaf.intersection(receivers):
                if frames := [frame for frame, those in waiting if one not in those]:
                    self._count(len(frames), 1)
                    self._broadcast(join(frames), [one])
            receivers = [one for one in receivers if one not in deaf]
        self._count(len(waiting), len(receivers))
        self._broadcast(written, receivers)

    def _advance(self, stop: int, end: int) -> None:
        """Those of the first slice that are before `stop` have had all."""
        front, last = self._slices[0], self._slices[-1]
        if last.had == end and last.stop == front.start:
            last.stop = stop
        else:
            self._slices.append(Slice(front.start, stop, end))
        front.start = stop
        if front.start == front.stop:
            self._slices.popleft()
        forgotten = self._slices[0].had - self._forgotten
        self.behind_bytes -= sum(len(frame) for frame, _ in self._waiting[:forgotten])
        del self._waiting[:forgotten]
        self._forgotten += forgotten


def join(frames: Sequence[Frame]) -> Frame:
    """One frame that is written as these would be."""
    return frames[0] if len(frames) == 1 else Frame(b"".join(frames))
