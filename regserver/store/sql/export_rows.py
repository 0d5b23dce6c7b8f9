"""The reading of what is kept about a person, for the export. `export_telling` says what is told of each table."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from regserver.domain.account import AccountId
from regserver.domain.idempotency import account_scope
from regserver.ports.export_table import Place, Record, RecordPage
from regserver.store.sql.export_telling import PARTS, Telling
from regserver.store.sql.statement import Rows

ROOMS_IN_A_STEP = 1000
"""Rooms that one page of posts looks into: posts have no index by author alone, which each post would have to pay for."""


class ExportRows(Rows):
    """All tables, as TELLINGS says. Each page continues behind the key of the one before."""

    async def page(self, part: str, account: AccountId, after: Place | None, limit: int) -> RecordPage:
        """One SELECT, by the index of the account where there may be many rows."""
        if part == "posts":
            return await self._posts(account, after, limit)
        return await self._page(
            PARTS[part], {"account": account, "scope": account_scope(account)}, after, limit
        )

    async def _posts(self, account: AccountId, after: Place | None, limit: int) -> RecordPage:
        """Room by room, by the index of a room's posts of one author. after: the room, and the last post in it."""
        room, post = after or (0, 0)
        found = await self._page(PARTS["posts"], {"account": account, "room": room}, (post,), limit)
        if found.after is not None:
            return RecordPage(found.records, (room, *found.after))
        return RecordPage(found.records, await self._next_room(account, room))

    async def _next_room(self, account: AccountId, room: int | str | bytes) -> Place | None:
        step = "SELECT id FROM room WHERE id > ? ORDER BY id LIMIT ?"
        wrote = "EXISTS (SELECT 1 FROM post WHERE room_id = step.id AND author_id = ?)"
        statement = f"SELECT id FROM ({step}) AS step WHERE {wrote} ORDER BY id LIMIT 1"
        found = await self._sql.value(statement, room, ROOMS_IN_A_STEP, account)
        if found is None:
            found = await self._sql.value(f"SELECT max(id) FROM ({step}) AS step", room, ROOMS_IN_A_STEP)
        return None if found is None else (found, 0)

    async def _page(
        self, telling: Telling, values: Mapping[str, int | str | bytes], after: Place | None, limit: int
    ) -> RecordPage:
        names = [name for _, name, _, _ in Formatter().parse(telling.rows) if name]
        condition = telling.rows.format(**dict.fromkeys(names, "?"))
        parameters: list[Any] = [values[name] for name in names]
        key = ", ".join(telling.key)
        if after is not None:
            condition += f" AND ({key}) > ({', '.join('?' * len(telling.key))})"
            parameters += after
        columns = ", ".join(telling.told.values())
        rows = await self._sql.rows(
            f"SELECT {columns}, {key} FROM {telling.table} {telling.joined} WHERE {condition} ORDER BY {key} LIMIT ?",
            *parameters,
            limit,
        )
        records = tuple([_record(telling, row) for row in rows])
        return RecordPage(records, tuple(rows[-1][len(telling.told) :]) if len(rows) == limit else None)


def _record(telling: Telling, row: tuple[Any, ...]) -> Record:
    return dict(zip(telling.told, row, strict=False))
