"""How frames are made and sent, for all queues of a broker."""

from collections.abc import Callable, Mapping

import msgspec

from regserver.broker.presence_teller import SignMaker
from regserver.broker.subscription import FrameMaker
from regserver.endpoint import Broadcast
from regserver.ports.subscriber import FrameKind


class Making(msgspec.Struct, frozen=True):
    """How frames are made and sent.

    frames: build an event's for each kind of socket. signs: a sign's. broadcast: sends them. count: called with the number of
    frames in a write, and of the sockets that get it.
    """

    frames: Mapping[FrameKind, FrameMaker]
    signs: Mapping[FrameKind, SignMaker]
    broadcast: Broadcast
    count: Callable[[int, int], None]
