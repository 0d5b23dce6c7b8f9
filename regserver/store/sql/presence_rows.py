"""Who is present on which node."""

from collections.abc import Collection

from regserver.domain.account import AccountId
from regserver.ports.presence_table import PresentRun
from regserver.store.sql.statement import Rows

GONE = "run NOT IN (SELECT run FROM node)"


class PresenceRows(Rows):
    """The tables presence and presence_run."""

    async def tell(self, run: bytes, came: Collection[AccountId], went: Collection[AccountId]) -> None:
        """One statement for each account, and one for the version."""
        await self._sql.run(
            "INSERT INTO presence_run (run, version) VALUES (?, 1)"
            " ON CONFLICT (run) DO UPDATE SET version = presence_run.version + 1",
            run,
        )
        await self._sql.run_many(
            "DELETE FROM presence WHERE run = ? AND account_id = ?", [(run, account) for account in went]
        )
        await self._sql.run_many(
            "INSERT INTO presence (run, account_id) VALUES (?, ?) ON CONFLICT (run, account_id) DO NOTHING",
            [(run, account) for account in came],
        )

    async def runs(self) -> tuple[PresentRun, ...]:
        """Reads two small tables."""
        statement = "SELECT presence_run.run, beats, version FROM presence_run JOIN node ON node.run = presence_run.run"
        rows = await self._sql.rows(statement)
        return tuple([PresentRun(bytes(run), beats, version) for run, beats, version in rows])

    async def of_run(self, run: bytes) -> frozenset[AccountId]:
        """Uses the primary key, which begins with the run."""
        rows = await self._sql.rows("SELECT account_id FROM presence WHERE run = ?", run)
        return frozenset(AccountId(row[0]) for row in rows)

    async def sweep(self) -> None:
        """Reads the runs first, and mostly finds none."""
        for (run,) in await self._sql.rows(f"SELECT run FROM presence_run WHERE {GONE}"):
            await self._sql.run("DELETE FROM presence WHERE run = ?", run)
            await self._sql.run("DELETE FROM presence_run WHERE run = ?", run)
