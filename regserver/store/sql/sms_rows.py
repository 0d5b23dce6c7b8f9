"""Codes sent by SMS and entered, by country and minute."""

from regserver.domain.instant import HOUR, MINUTE, Duration, Instant
from regserver.domain.phone import Country
from regserver.ports.sms_table import SmsTally
from regserver.store.sql.statement import Rows

TALLY_KEPT = Duration(3 * HOUR)
"""Rows are dropped after this; nobody asks for more than the last hour, and no closure is longer."""


class SmsRows(Rows):
    """The table sms_tally. slot: minutes since 1970."""

    async def tally(self, country: Country, since: Instant) -> SmsTally:
        """One statement, by the primary key."""
        statement = (
            "SELECT coalesce(sum(sent), 0), coalesce(sum(entered), 0), max(closed_until)"
            " FROM sms_tally WHERE country = ? AND slot >= ?"
        )
        row = await self._sql.row(statement, country, since // MINUTE)
        assert row is not None  # noqa: S101  (sums always give a row)
        return SmsTally(int(row[0]), int(row[1]), row[2])

    async def count(self, country: Country, at: Instant, *, sent: int = 0, entered: int = 0) -> None:
        """One upsert."""
        statement = (
            "INSERT INTO sms_tally (country, slot, sent, entered) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (country, slot) DO UPDATE SET"
            " sent = sms_tally.sent + excluded.sent, entered = sms_tally.entered + excluded.entered"
        )
        await self._sql.run(statement, country, at // MINUTE, sent, entered)

    async def close(self, country: Country, at: Instant, until: Instant) -> None:
        """One upsert."""
        statement = (
            "INSERT INTO sms_tally (country, slot, sent, entered, closed_until) VALUES (?, ?, 0, 0, ?)"
            " ON CONFLICT (country, slot) DO UPDATE SET closed_until = excluded.closed_until"
        )
        await self._sql.run(statement, country, at // MINUTE, until)

    async def purge(self, now: Instant) -> int:
        """Uses the index of minutes."""
        return await self._sql.run("DELETE FROM sms_tally WHERE slot < ?", (now - TALLY_KEPT) // MINUTE)
