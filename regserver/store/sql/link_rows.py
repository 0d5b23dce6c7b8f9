"""Links that were mailed to accounts."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.link import AccountLink, LinkPurpose
from regserver.domain.secret import SecretHash
from regserver.store.sql.statement import Rows, placeholders

COLUMNS = "account_id, purpose, email, expires_at"
"""The fields of AccountLink, in their order."""
GOOD = "hash = ? AND purpose = ? AND expires_at > ?"


class LinkRows(Rows):
    """The table account_link."""

    async def add(self, secret: SecretHash, link: AccountLink) -> None:
        """The hash is the primary key."""
        statement = f"INSERT INTO account_link (hash, {COLUMNS}) VALUES (?, ?, ?, ?, ?)"
        values = link.account, link.purpose, link.email, link.expires_at
        await self._sql.run(statement, secret, *values)

    async def find(self, secret: SecretHash, purpose: LinkPurpose, now: Instant) -> AccountLink | None:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM account_link WHERE {GOOD}"
        return await self._one(AccountLink, statement, secret, purpose, now)

    async def take(self, secret: SecretHash, purpose: LinkPurpose, now: Instant) -> AccountLink | None:
        """DELETE … RETURNING: of two simultaneous calls, one gets the row."""
        statement = f"DELETE FROM account_link WHERE {GOOD} RETURNING {COLUMNS}"
        return await self._one(AccountLink, statement, secret, purpose, now)

    async def remove_all(self, account: AccountId, purposes: Sequence[LinkPurpose]) -> None:
        """Uses the index of accounts."""
        statement = f"DELETE FROM account_link WHERE account_id = ? AND purpose IN ({placeholders(purposes)})"
        await self._sql.run(statement, account, *purposes)

    async def remove_since(self, account: AccountId, purpose: LinkPurpose, expires_at: Instant) -> None:
        """Uses the index of accounts."""
        statement = "DELETE FROM account_link WHERE account_id = ? AND purpose = ? AND expires_at >= ?"
        await self._sql.run(statement, account, purpose, expires_at)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM account_link WHERE expires_at <= ?", now)
