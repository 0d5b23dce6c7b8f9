"""Sending statements and reading their answers.

`answer` sends one statement and knows what is prepared; `answers` sends several as one pipeline, in one round trip. A BEGIN
waits for the first statement of its transaction and leaves together with it.

Parameters and results are in text format, as psycopg's adapters write and read them; bytes are sent as they are.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import psycopg
import trio
from psycopg import errors, generators, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult

from regserver.store.postgres.driver.pg_answer import PgAnswer
from regserver.store.postgres.driver.pg_message import NOTHING, Message, Sent, read_answers
from regserver.store.postgres.driver.prepared import PreparedStatement, PreparedStatements
from regserver.store.postgres.driver.psycopg_hook.trio_connection import TrioConnection

PREPARED_STATEMENTS: Final = 256
"""The most on one connection."""

_TUPLES, _DONE = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK


class PgWire(TrioConnection):
    """A connection that sends statements. Parameters are written as $1, $2."""

    def __init__(self, pgconn: Any, *rest: Any) -> None:
        super().__init__(pgconn, *rest)
        self.begin: bytes | None = None
        """A BEGIN that leaves together with the next statement."""
        self.depth = 0
        """How many blocks of transactions are open."""
        self.read_only_block = False
        """Whether one of them was begun as READ ONLY."""
        self._values: Any = Transformer(self)
        self._statements = PreparedStatements(PREPARED_STATEMENTS)

    def abort(self) -> None:
        """As in TrioConnection."""
        self._values = None  # it refers to this connection
        super().abort()

    async def answer(self, statement: str, parameters: Sequence[object]) -> PgAnswer:
        """Runs one statement. Raises psycopg.Error."""
        with self.use:
            self._check_connection_ok()
            await trio.lowlevel.checkpoint_if_cancelled()
            sent = self._dump(parameters)
            known = self._statements.find(statement, sent.types, sent.formats)
            if known is None or not known.name or self.begin is not None:
                return await self._run(self._messages(statement, known, sent))
            # Nearly always, so nothing is put together for it.
            self.pgconn.send_query_prepared(known.name, sent.values, sent.formats)
            results = await self.wait(generators.execute(self.pgconn))
            return PgAnswer(self._values, self._check(results[-1]))

    async def answers(self, statements: Sequence[tuple[str, Sequence[object]]]) -> list[PgAnswer]:
        """Runs statements as one pipeline. The first that fails raises psycopg.Error, and those behind it are not run."""
        with self.use:
            self._check_connection_ok()
            await trio.lowlevel.checkpoint_if_cancelled()
            messages, last = list[Message](), list[int]()
            try:
                for statement, parameters in statements:
                    sent = self._dump(parameters)
                    known = self._statements.find(statement, sent.types, sent.formats)
                    messages += self._messages(statement, known, sent)
                    last.append(len(messages) - 1)
            except psycopg.Error:
                self._take_names_back(messages, [])
                raise
            found = await self._exchange(messages) if messages else []
            return [PgAnswer(self._values, found[at]) for at in last]

    async def command(self, words: bytes) -> bytes:
        """Runs a statement without parameters; returns the server's tag, such as COMMIT. Raises psycopg.Error."""
        with self.use:
            self._check_connection_ok()
            await trio.lowlevel.checkpoint_if_cancelled()
            if self.begin is not None:
                return (await self._run([self._bare(words)])).tag
            self.pgconn.send_query(words)  # the simple protocol is the cheaper one
            results = await self.wait(generators.execute(self.pgconn))
            return self._check(results[-1]).command_status or b""

    async def script(self, words: bytes, within: float | None = None) -> None:
        """Runs statements without parameters, separated by semicolons, in one message. Raises psycopg.Error.

        within: seconds until the connection is closed for want of an answer.
        """
        await self.begin_now()
        with self.use:
            self._check_connection_ok()
            await trio.lowlevel.checkpoint_if_cancelled()
            self.pgconn.send_query(words)
            try:
                results = await self.wait(generators.execute(self.pgconn), timeout=within)
            except errors._WaitTimeout:
                self.abort()
                raise
            for result in results:
                self._check(result)

    async def begin_now(self) -> None:
        """Sends the BEGIN that waits for a statement."""
        if self.begin is not None:
            await self.command(b"")

    def _bare(self, words: bytes) -> Message:
        return Message(partial(self.pgconn.send_query_params, words, None))

    def _dump(self, parameters: Sequence[object]) -> Sent:
        """Writes parameters as they are sent. Raises psycopg.Error."""
        if not parameters:
            return NOTHING
        values = self._values
        try:
            given = values.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        except UnicodeEncodeError:
            raise psycopg.DataError("a text has a lone surrogate") from None
        return Sent(given, values.types, values.formats)

    def _messages(self, text: str, known: PreparedStatement | None, sent: Sent) -> list[Message]:
        """What to send for one statement; the last one is answered with its result."""
        pgconn = self.pgconn
        if known is None:
            closing = [Message(partial(pgconn.send_close_prepared, it)) for it in self._statements.evict()]
            return [
                *closing,
                Message(
                    partial(pgconn.send_query_params, text.encode(), sent.values, sent.types, sent.formats)
                ),
            ]
        before = [] if known.name else [self._preparing(known)]
        return [*before, Message(partial(pgconn.send_query_prepared, known.name, sent.values, sent.formats))]

    def _preparing(self, statement: PreparedStatement) -> Message:
        """Its name is taken back if that fails."""
        statement.name = self._statements.next_name()
        send = partial(self.pgconn.send_prepare, statement.name, statement.text, statement.types)
        return Message(send, prepares=statement)

    async def _run(self, messages: Sequence[Message]) -> PgAnswer:
        if len(messages) == 1 and self.begin is None:
            messages[0].send()
            results = await self.wait(generators.execute(self.pgconn))
            return PgAnswer(self._values, self._check(results[-1]))
        return PgAnswer(self._values, (await self._exchange(messages))[-1])

    async def _exchange(self, messages: Sequence[Message]) -> list[PGresult]:
        """Sends messages as one pipeline; returns the result of each. Raises psycopg.Error, of the first that failed."""
        began = self.begin is not None
        if self.begin is not None:
            messages, self.begin = [self._bare(self.begin), *messages], None
        found: list[PGresult] = []
        self.pgconn.enter_pipeline_mode()
        try:
            for message in messages:
                message.send()
            self.pgconn.pipeline_sync()
            await self.wait(read_answers(self.pgconn, len(messages), found))
        finally:
            self._take_names_back(messages, found)
            self._leave_pipeline()
        for result in found:
            self._check(result)
        return found[1:] if began else found

    def _take_names_back(self, messages: Sequence[Message], found: Sequence[PGresult]) -> None:
        for at, message in enumerate(messages):
            if message.prepares and (at >= len(found) or found[at].status != pq.ExecStatus.COMMAND_OK):
                message.prepares.name = b""

    def _leave_pipeline(self) -> None:
        if not self.closed:
            try:
                self.pgconn.exit_pipeline_mode()
            except psycopg.Error:
                self.abort()  # answers are left in it

    def _check(self, result: PGresult) -> PGresult:
        """Raises psycopg.Error unless the statement was run."""
        status = result.status
        if status in (_TUPLES, _DONE, pq.ExecStatus.EMPTY_QUERY):
            return result
        if status == pq.ExecStatus.PIPELINE_ABORTED:
            raise errors.PipelineAborted("a statement before it failed")
        if status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=self.info.encoding)
        self.abort()
        raise psycopg.ProgrammingError("a COPY is run by copy() alone")
