"""What waits to be sent on a stream: a list of chunks, of which the first may be the rest of a frame."""


class Rest(bytes):
    """What is left of a frame of which a part is sent. It must follow, or the peer takes the next frame for its payload."""

    __slots__ = ()


def take_off(queue: list[bytes], taken: int) -> None:
    """Takes the first `taken` bytes off a queue; what is left of the chunk they end in becomes a Rest."""
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
    """Drops what is queued, but for a Rest."""
    del queue[1 if queue and isinstance(queue[0], Rest) else 0 :]
