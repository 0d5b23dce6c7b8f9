"""The queue of a stream: a list of chunks, the first of which may be the rest of a frame."""


class Rest(bytes):
    """The rest of a partly sent frame. It must be sent, or the peer takes the next frame for its payload."""

    __slots__ = ()


def take_off(queue: list[bytes], taken: int) -> None:
    """Removes the first `taken` bytes of a queue; the rest of a partly removed chunk becomes a Rest."""
    whole = 0
    for chunk in queue:
        if taken < len(chunk):
            break
        taken -= len(chunk)
        whole += 1
    del queue[:whole]
    if taken:
        queue[0] = Rest(memoryview(queue[0])[taken:])


def drop_all(queue: list[bytes]) -> None:
    """Empties a queue, except for a Rest."""
    del queue[1 if queue and isinstance(queue[0], Rest) else 0 :]
