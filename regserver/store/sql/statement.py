"""What a back end offers to the repositories: one statement at a time, parameters as `?`."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from regserver.ports.transaction import Lock, LockKey

MAX_LIST = 500
"""The most values in one `IN (…)`; longer lists are asked for in chunks."""


class Sql(Protocol):
    """One connection, for the length of one transaction. Raises StoreFault, and Conflict where another unit came first."""

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """As in regserver.ports.transaction.Transaction."""

    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """The first row, or None."""

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows."""

    async def run(self, statement: str, *parameters: object) -> int:
        """How many rows were changed."""

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """Runs the statement once for each set of parameters."""


def placeholders(values: Sequence[object]) -> str:
    """One question mark a value, separated by commas."""
    return ", ".join("?" * len(values))


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in chunks that each fit into one statement."""
    return (values[at : at + MAX_LIST] for at in range(0, len(values), MAX_LIST))
