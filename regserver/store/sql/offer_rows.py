"""Offers of rooms."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import RoomEvent
from regserver.ports.offer_table import Offer
from regserver.store.sql.statement import Rows


class OfferRows(Rows):
    """The table room_offer. A removed room takes its offers along."""

    async def add(self, event: RoomEvent, accounts: Sequence[AccountId]) -> None:
        """The primary key settles a race."""
        statement = (
            "INSERT INTO room_offer (account_id, room_id, offered_by, offered_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account_id, room_id) DO NOTHING"
        )
        rows = [(account, event.room, event.actor, event.at) for account in accounts]
        await self._sql.run_many(statement, rows)

    async def pending(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        offered = "SELECT account_id FROM room_offer WHERE room_id = ? AND account_id"
        return {row[0] for row in await self._among(accounts, offered, room)}

    async def take(self, room: RoomId, account: AccountId, since: Instant) -> AccountId | None:
        """One DELETE that returns what it removed."""
        statement = "DELETE FROM room_offer WHERE account_id = ? AND room_id = ? AND offered_at > ? RETURNING offered_by"
        row = await self._sql.row(statement, account, room, since)
        return None if row is None else AccountId(row[0])

    async def of_account(self, account: AccountId, since: Instant, limit: int) -> tuple[Offer, ...]:
        """Uses the primary key, which begins with the account."""
        statement = (
            "SELECT room_id, room.name, offered_by, host.username, offered_at FROM room_offer"
            " JOIN room ON room.id = room_offer.room_id JOIN account AS host ON host.id = offered_by"
            " WHERE account_id = ? AND offered_at > ? ORDER BY offered_at DESC, room_id DESC LIMIT ?"
        )
        return tuple([Offer(*row) for row in await self._sql.rows(statement, account, since, limit)])

    async def remove_all(self, account: AccountId) -> None:
        """Uses the primary key and the index of hosts."""
        await self._sql.run("DELETE FROM room_offer WHERE account_id = ?", account)
        await self._sql.run("DELETE FROM room_offer WHERE offered_by = ?", account)

    async def purge(self, before: Instant) -> int:
        """Uses the index of times."""
        return await self._sql.run("DELETE FROM room_offer WHERE offered_at < ?", before)
