"""Accounts."""

from collections.abc import Sequence
from typing import Any

from regserver.domain.account import (
    Account,
    AccountId,
    EmailKey,
    NameKey,
    NewAccount,
    Profile,
    email_key,
    name_key,
)
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Sql, chunks, placeholders

ACCOUNT_COLUMNS = (
    "account.id, username, email, password_hash, door, ledger_name, server, subject,"
    " account.created_at, updated_at, deleted_at"
)


def read_account(row: tuple[Any, ...] | None) -> Account | None:
    """The account of a row of ACCOUNT_COLUMNS."""
    # Written out, since every request of somebody signed in comes by here.
    if row is None:
        return None
    return Account(
        id=row[0],
        username=row[1],
        email=row[2],
        password_hash=row[3],
        origin=row[4],
        ledger_name=row[5],
        server=row[6],
        subject=row[7],
        created_at=row[8],
        updated_at=row[9],
        deleted_at=row[10],
    )


class AccountRows:
    """The table account, of accounts of all doors, and the table profile."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, account: NewAccount) -> AccountId | None:
        """One INSERT: the unique index of addresses settles a race for one, that of names raises Conflict."""
        row = await self._sql.row(
            "INSERT INTO account (username, name_key, email, email_key, password_hash, door, ledger_name, server,"
            " subject, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (email_key) DO NOTHING RETURNING id",
            account.username,
            name_key(account.username),
            account.email,
            None if account.email is None else email_key(account.email),
            account.password_hash,
            account.origin,
            account.ledger_name,
            account.server,
            account.subject,
            account.created_at,
            account.created_at,
        )
        return None if row is None else AccountId(row[0])

    async def by_id(self, account: AccountId) -> Account | None:
        """Uses the primary key."""
        return read_account(
            await self._sql.row(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE id = ?", account)
        )

    async def by_name(self, key: NameKey) -> Account | None:
        """Uses the unique index of names."""
        return read_account(
            await self._sql.row(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE name_key = ?", key)
        )

    async def by_email(self, key: EmailKey) -> Account | None:
        """Uses the unique index of addresses."""
        return read_account(
            await self._sql.row(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE email_key = ?", key)
        )

    async def by_ledger_name(self, ledger_name: str) -> Account | None:
        """Uses the unique index of userIds."""
        return read_account(
            await self._sql.row(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE ledger_name = ?", ledger_name)
        )

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        found: set[AccountId] = set()
        for chunk in chunks(accounts):
            rows = await self._sql.rows(
                f"SELECT id FROM account WHERE deleted_at IS NULL AND id IN ({placeholders(chunk)})", *chunk
            )
            found.update(row[0] for row in rows)
        return found

    async def set_password_hash(self, account: AccountId, password_hash: str, now: Instant) -> None:
        """Whatever the hash is now."""
        await self._sql.run(
            "UPDATE account SET password_hash = ?, updated_at = ? WHERE id = ?", password_hash, now, account
        )

    async def renew_password_hash(self, account: AccountId, known: str, renewed: str, now: Instant) -> None:
        """One UPDATE that looks and writes, so that it never undoes a change of the password."""
        statement = "UPDATE account SET password_hash = ?, updated_at = ? WHERE id = ? AND password_hash = ?"
        await self._sql.run(statement, renewed, now, account, known)

    async def mark_deleted(self, account: AccountId, now: Instant) -> bool:
        """One UPDATE that looks and writes, so that an account ends once."""
        statement = "UPDATE account SET deleted_at = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL"
        return await self._sql.run(statement, now, now, account) > 0

    async def add_profile(self, account: AccountId, profile: Profile) -> None:
        """One profile an account, by the primary key."""
        await self._sql.run(
            "INSERT INTO profile (account_id, first_name, middle_name, last_name) VALUES (?, ?, ?, ?)",
            account,
            profile.first_name,
            profile.middle_name,
            profile.last_name,
        )

    async def profile(self, account: AccountId) -> Profile | None:
        """Uses the primary key."""
        row = await self._sql.row(
            "SELECT first_name, middle_name, last_name FROM profile WHERE account_id = ?", account
        )
        return None if row is None else Profile(first_name=row[0], middle_name=row[1], last_name=row[2])
