"""The answer to one statement."""

from typing import Any, cast

from psycopg.pq.abc import PGresult

from regserver.store.postgres.driver.psycopg_hook.trio_connection import PgRow


class PgAnswer:
    """The answer to one statement, in text format."""

    __slots__ = ("_result", "_values")

    def __init__(self, values: Any, result: PGresult) -> None:
        self._values = values
        self._result = result

    def rows(self) -> list[PgRow]:
        """All rows; none where the statement returns none."""
        self._values.set_pgresult(self._result)
        return cast("list[PgRow]", self._values.load_rows(0, self._result.ntuples, tuple))

    def row(self) -> PgRow | None:
        """The first row, or None."""
        if not self._result.ntuples:
            return None
        self._values.set_pgresult(self._result)
        return cast("PgRow", self._values.load_row(0, tuple))

    @property
    def count(self) -> int:
        """The number of rows that were changed or found."""
        return self._result.command_tuples or 0

    @property
    def tag(self) -> bytes:
        """What the server did, such as COMMIT."""
        return self._result.command_status or b""
