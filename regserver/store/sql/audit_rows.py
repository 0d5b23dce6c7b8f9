"""The audit. Its rows are written at the end of a unit, under a lock, so that numbers follow the order of commits."""

from itertools import takewhile
from typing import Literal

import msgspec

from regserver.domain.address import coarse_network
from regserver.domain.audit import PLACELESS, SALT_BYTES, AuditMark, AuditNote, AuditOrigin, AuditRow
from regserver.domain.instant import Instant
from regserver.ports.audit_table import AuditFilter, AuditPen
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Rows, Sql, columns, placeholders

COLUMNS = columns(AuditRow)
INSERT = f"INSERT INTO audit ({COLUMNS}) VALUES ({placeholders(AuditRow.__struct_fields__)})"
SET_MARK = (
    "INSERT INTO audit_mark (name, number, hash, seal) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash, seal = excluded.seal"
)


class AuditRows(Rows):
    """The tables audit and audit_mark.

    begin → note, note, … → finish, by SqlTransaction
    """

    def __init__(self, sql: Sql, pen: AuditPen) -> None:
        super().__init__(sql)
        self._pen = pen
        self.begin(None)

    def begin(self, address: str | None) -> None:
        """A unit begins, or is run again: drops the notes of the last run. address: of the client, None for the server's own."""
        self._address = address
        self._actor = "server" if address is None else "client"
        self._notes: list[AuditNote] = []

    def by(self, actor: str) -> None:
        """Until the end of the unit."""
        self._actor = actor

    def note(self, note: AuditNote) -> None:
        """Nothing is written yet."""
        self._notes.append(note)

    @property
    def is_noted(self) -> bool:
        """Whether `finish` has something to write."""
        return bool(self._notes)

    async def finish(self) -> None:
        """The end of the unit: one INSERT a note, and one UPDATE of the head."""
        if not self._notes:
            return
        await self._sql.lock(Lock.AUDIT)
        pen, network = self._pen, coarse_network(self._address or "")
        last: AuditRow | AuditMark | None = await self._mark("head")
        for note in self._notes:
            head = None if last is None else AuditMark(last.number, last.hash, b"")
            origin = AuditOrigin(self._actor, "" if note.action in PLACELESS else network)
            last = pen.chain.following(head, note, origin, pen.now(), pen.draw(SALT_BYTES))
            await self._sql.run(INSERT, *msgspec.structs.astuple(last))
        assert last is not None  # noqa: S101  (there was a note)
        await self._set_mark("head", last)

    async def newest(self, wanted: AuditFilter, limit: int) -> tuple[AuditRow, ...]:
        """Uses the primary key, or the index of accounts."""
        conditions: list[str] = ["number > 0"]
        values: list[object] = []
        for condition, value in (
            ("number < ?", wanted.before),
            ("account_id = ?", wanted.account),
            ("action = ?", wanted.action),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        statement = (
            f"SELECT {COLUMNS} FROM audit WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?"
        )
        return await self._all(AuditRow, statement, *values, limit)

    async def page(self, after: int, limit: int) -> tuple[AuditRow, ...]:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?"
        return await self._all(AuditRow, statement, after, limit)

    async def marks(self) -> tuple[AuditMark | None, AuditMark | None]:
        """Reads the two rows."""
        return await self._mark("anchor"), await self._mark("head")

    async def trim(self, before: Instant, limit: int) -> int:
        """Times need not ascend, so it stops at the first row that is young enough."""
        await self._sql.lock(Lock.AUDIT)
        old = list(takewhile(lambda row: row.at < before, await self.page(0, limit)))
        if not old:
            return 0
        await self._set_mark("anchor", old[-1])
        return await self._sql.run("DELETE FROM audit WHERE number <= ?", old[-1].number)

    async def _mark(self, name: Literal["head", "anchor"]) -> AuditMark | None:
        statement = "SELECT number, hash, seal FROM audit_mark WHERE name = ?"
        return await self._one(AuditMark, statement, name)

    async def _set_mark(self, name: Literal["head", "anchor"], row: AuditRow | AuditMark) -> None:
        mark = self._pen.chain.mark(name, row)
        await self._sql.run(SET_MARK, name, mark.number, mark.hash, mark.seal)
