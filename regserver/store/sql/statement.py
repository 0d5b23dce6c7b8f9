"""What a back end offers to the repositories: one statement at a time, parameters as `?`."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

MAX_LIST = 500
"""So many values go into one `IN (…)`; longer lists are asked for in pieces."""


class Sql(Protocol):
    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """The first row, or None."""

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]: ...

    async def run(self, statement: str, *parameters: object) -> int:
        """How many rows were changed."""

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None: ...


def marks(values: Sequence[object]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" * len(values))


def pieces(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that one statement takes."""
    return (values[at : at + MAX_LIST] for at in range(0, len(values), MAX_LIST))
