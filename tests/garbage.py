"""What is freed without the garbage collector, and what only it finds."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """While inside, what refers to itself stays."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def count(kind: type) -> int:
    """How many of them there are, whether anybody still needs them or not."""
    return sum(issubclass(type(one), kind) for one in gc.get_objects())
