"""Exception groups: trio's nurseries wrap each error that leaves them, and most callers want the error itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

E = TypeVar("E", bound=Exception)


def leaves(group: BaseExceptionGroup[E]) -> list[E]:
    """The errors in a group and in the groups inside it, in their order."""
    found: list[E] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


@contextmanager
def unwrapped(*kinds: type[Exception]) -> Iterator[None]:
    """Raises an error of one of these kinds as itself, where the nursery in the body raises a group that holds it.

    Of several errors the first is raised and the others are its cause. Errors of other kinds leave in their group, and
    so does a cancellation: both win over errors of these kinds that came with them.
    """
    caught: list[Exception] = []
    try:
        yield
    except* kinds as group:
        caught = leaves(group)
    if caught:  # raised here, since what is raised inside `except*` is wrapped again
        first, *others = caught
        raise first from ExceptionGroup("further errors", others) if others else first.__cause__
