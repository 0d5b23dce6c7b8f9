"""The networks from which accounts were signed in."""

from regserver.domain.account import AccountId
from regserver.domain.guess import NETWORK_KNOWN, NetworkHash
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Rows

MOST_NETWORKS = 50
"""Networks kept for one account."""


class NetworkRows(Rows):
    """The table known_network."""

    async def signed_in_at(self, account: AccountId, network: NetworkHash) -> Instant | None:
        """Uses the primary key."""
        statement = "SELECT signed_in_at FROM known_network WHERE account_id = ? AND network = ?"
        at = await self._sql.value(statement, account, network)
        return None if at is None else Instant(at)

    async def note(self, account: AccountId, network: NetworkHash, language: str, now: Instant) -> None:
        """One upsert."""
        statement = (
            "INSERT INTO known_network (account_id, network, language, signed_in_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account_id, network) DO UPDATE SET language = excluded.language,"
            " signed_in_at = excluded.signed_in_at"
        )
        await self._sql.run(statement, account, network, language, now)

    async def trim(self, account: AccountId) -> None:
        """Uses the primary key: an account has few."""
        newest = "SELECT network FROM known_network WHERE account_id = ? ORDER BY signed_in_at DESC, network LIMIT ?"
        statement = f"DELETE FROM known_network WHERE account_id = ? AND network NOT IN ({newest})"
        await self._sql.run(statement, account, account, MOST_NETWORKS)

    async def language(self, account: AccountId) -> str | None:
        """Uses the primary key: an account has few."""
        statement = (
            "SELECT language FROM known_network WHERE account_id = ? ORDER BY signed_in_at DESC LIMIT 1"
        )
        language = await self._sql.value(statement, account)
        return None if language is None else str(language)

    async def forget(self, account: AccountId) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM known_network WHERE account_id = ?", account)

    async def purge(self, now: Instant) -> int:
        """Uses the index of the times of sign-ins."""
        return await self._sql.run("DELETE FROM known_network WHERE signed_in_at <= ?", now - NETWORK_KNOWN)
