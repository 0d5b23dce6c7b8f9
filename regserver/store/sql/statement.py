"""The calls that a back end implements for the repositories, and their base class. Parameters are written as `?`."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from regserver.ports.transaction import Lock, LockKey

S = TypeVar("S", bound=msgspec.Struct)
F = TypeVar("F")

MAX_LIST = 500
"""The most values in one `IN (…)`; longer lists are read in chunks."""


class Kept(msgspec.Struct, Generic[F], frozen=True, eq=False):
    """A statement for one row, whose answer a store may keep until one of its tables changes.

    tables: all that it reads; no foreign key may change them from another one. read: what is made of the row, a frozen value.
    """

    text: str
    tables: frozenset[str]
    read: Callable[[tuple[Any, ...]], F]


class Sql(Protocol):
    """One connection, within one transaction. Raises StoreFault, and Conflict where another unit was first."""

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """As in regserver.ports.transaction.Transaction."""

    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """The first row, or None."""

    async def kept(self, kept: Kept[F], *parameters: object) -> F | None:
        """What the first row says, or None."""

    async def value(self, statement: str, *parameters: object) -> Any:
        """The first column of the first row, or None."""

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows."""

    async def run(self, statement: str, *parameters: object) -> int:
        """Executes a statement; returns the number of changed rows."""

    async def insert(self, statement: str, *parameters: object) -> int:
        """Executes an INSERT of one row; returns the id that the database assigned to it."""

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """Runs the statement once for each set of parameters."""


class Rows:
    """Base of the repositories: the statements of one or several tables on one connection."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def _one(self, kind: type[S], statement: str, *parameters: object) -> S | None:
        """The first row, whose columns are the fields of `kind` in their order; None when there is none."""
        row = await self._sql.row(statement, *parameters)
        return None if row is None else _read(kind, row)

    async def _all(self, kind: type[S], statement: str, *parameters: object) -> tuple[S, ...]:
        """All rows, read in the same way."""
        return tuple([_read(kind, row) for row in await self._sql.rows(statement, *parameters)])

    async def _among(
        self, values: Sequence[object], statement: str, *parameters: object, order: str = ""
    ) -> list[tuple[Any, ...]]:
        """The rows where a column has one of the values. statement: ends with the column's name.

        order: the end of the statement; it holds for each MAX_LIST values by themselves.
        """
        if len(values) <= MAX_LIST:  # nearly always, so nothing is put together for it
            one = f"{statement} IN ({placeholders(values)}){order}"
            return await self._sql.rows(one, *parameters, *values) if values else []
        chunks = (values[at : at + MAX_LIST] for at in range(0, len(values), MAX_LIST))
        return [
            row
            for chunk in chunks
            for row in await self._sql.rows(
                f"{statement} IN ({placeholders(chunk)}){order}", *parameters, *chunk
            )
        ]


def columns(kind: type[msgspec.Struct]) -> str:
    """The columns of a table whose names are the fields of a Struct."""
    return ", ".join(kind.__struct_fields__)


def placeholders(values: Sequence[object]) -> str:
    """One question mark for each value, separated by commas."""
    return ", ".join("?" * len(values))


def _read(kind: type[S], row: tuple[Any, ...]) -> S:
    return kind(**dict(zip(kind.__struct_fields__, row, strict=True)))
