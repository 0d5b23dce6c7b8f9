"""Verified contacts."""

from collections.abc import Sequence

from regserver.domain.account import Account, AccountId
from regserver.domain.contact import ContactKey, ContactKind
from regserver.domain.instant import Instant
from regserver.ports.contact_table import UnkeyedAddress
from regserver.store.sql.account_rows import ACCOUNT_COLUMNS, read_account
from regserver.store.sql.statement import Rows


class ContactRows(Rows):
    """The tables verified_contact and unkeyed_address."""

    async def owner(self, contact: ContactKey) -> Account | None:
        """Uses both primary keys."""
        joined = "verified_contact JOIN account ON account.id = verified_contact.account_id"
        statement = f"SELECT {ACCOUNT_COLUMNS} FROM {joined} WHERE contact = ?"
        return read_account(await self._sql.row(statement, contact))

    async def claim(self, contact: ContactKey, kind: ContactKind, account: AccountId, now: Instant) -> bool:
        """The primary key settles a race; what is the account's already stays as it is."""
        statement = (
            "INSERT INTO verified_contact (contact, account_id, kind, verified_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (contact) DO UPDATE SET kind = excluded.kind"
            " WHERE verified_contact.account_id = excluded.account_id"
        )
        return await self._sql.run(statement, contact, account, kind, now) > 0

    async def release(self, contact: ContactKey, account: AccountId) -> None:
        """Uses the primary key."""
        statement = "DELETE FROM verified_contact WHERE contact = ? AND account_id = ?"
        await self._sql.run(statement, contact, account)

    async def of_account(self, account: AccountId) -> frozenset[ContactKey]:
        """Uses the index of accounts."""
        statement = "SELECT contact FROM verified_contact WHERE account_id = ?"
        return frozenset([ContactKey(row[0]) for row in await self._sql.rows(statement, account)])

    async def release_all(self, account: AccountId) -> None:
        """Uses the index of accounts."""
        await self._sql.run("DELETE FROM verified_contact WHERE account_id = ?", account)

    async def unkeyed(self, most: int) -> tuple[UnkeyedAddress, ...]:
        """In the order of the accounts."""
        statement = (
            "SELECT account_id, email, created_at FROM unkeyed_address JOIN account ON account.id = account_id"
            " ORDER BY account_id LIMIT ?"
        )
        return await self._all(UnkeyedAddress, statement, most)

    async def keyed(self, accounts: Sequence[AccountId]) -> None:
        """A statement for each."""
        statement = "DELETE FROM unkeyed_address WHERE account_id = ?"
        await self._sql.run_many(statement, [(account,) for account in accounts])
