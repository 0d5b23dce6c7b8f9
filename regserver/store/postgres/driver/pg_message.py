"""What is sent to the server, and the answers of a pipeline."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import generators, pq
from psycopg.abc import Buffer
from psycopg.pq.abc import PGconn, PGresult

from regserver.store.postgres.driver.prepared import PreparedStatement, Types


@dataclass(slots=True)
class Message:
    """Something to send. prepares: the statement that it prepares, if it does."""

    send: Callable[[], object]
    prepares: PreparedStatement | None = None


class Sent(NamedTuple):
    """Parameters as they are sent."""

    values: Sequence[Buffer | None] | None
    types: Types
    formats: Sequence[pq.Format]


NOTHING = Sent(None, (), ())


def read_answers(pgconn: PGconn, count: int, found: list[PGresult]) -> Generator[Any, Any, None]:
    """Sends a pipeline and appends the results of its messages, also where the server ends the connection on the way."""
    try:
        yield from generators.send(pgconn)
        while len(found) < count:
            found += (yield from generators.fetch_many(pgconn))[-1:]
        yield from generators.fetch_many(pgconn)  # the sync's own
    except psycopg.Error:
        if not any(result.status == pq.ExecStatus.FATAL_ERROR for result in found):
            raise
