"""Compares what sockets heard: the history checker.

Each socket keeps its frames with their positions in the log. Of sockets that hear the same rooms, all must have
heard the same frames in the same order, wherever they listened; of posters, each acknowledged post must be there once.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tests.system.server import Message

Frames = Sequence[tuple[int, Message]]
"""What one socket heard, each frame with its position."""


class Verdict(msgspec.Struct, frozen=True):
    """Faults of a whole run, each a number that must be 0.

    lost: acknowledged posts that no socket heard. doubled: contents that came twice. disordered: sockets that heard
    something twice or out of the log's order. different: sockets that did not hear what the first one did.
    """

    lost: int
    doubled: int
    disordered: int
    different: int

    @property
    def is_clean(self) -> bool:
        return self == Verdict(0, 0, 0, 0)


def compare(heard: Mapping[str, Frames], acknowledged: Collection[str]) -> Verdict:
    """Compares sockets that were to hear the same.

    heard: by the name of the socket. acknowledged: the contents of all posts that somebody was promised.
    """
    histories = list(heard.values())
    positions = [[position for position, _ in frames] for frames in histories]
    contents = [frame["content"] for _, frame in histories[0] if frame["type"] == "NewPost"]
    return Verdict(
        lost=len(set(acknowledged) - set(contents)),
        doubled=len(contents) - len(set(contents)),
        disordered=sum(each != sorted(set(each)) for each in positions),
        different=sum(frames != histories[0] for frames in histories),
    )
