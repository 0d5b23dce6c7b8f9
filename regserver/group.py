"""Exception groups: a nursery wraps every error that leaves it, and most callers want the error itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

E = TypeVar("E", bound=Exception)


def leaves(group: BaseExceptionGroup[E]) -> list[E]:
    """The errors in a group and in its inner groups, in order."""
    found: list[E] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


@contextmanager
def unwrapped(*kinds: type[Exception]) -> Iterator[None]:
    """Raises an error of one of these kinds bare, where a nursery in the body raises it in a group.

    Of several errors the first is raised, and the others are its cause. Errors of other kinds stay in their group, and so
    does a cancellation; both take precedence over errors of these kinds.
    """
    caught: list[Exception] = []
    try:
        yield
    except* kinds as group:
        caught = leaves(group)
    if caught:  # not inside `except*`, which would wrap the error again
        first, *others = caught
        raise first from ExceptionGroup("further errors", others) if others else first.__cause__
