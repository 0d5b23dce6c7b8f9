"""Accounts."""

import re
from collections.abc import Sequence
from typing import Any

from regserver.domain.account import (
    DELETED_USER,
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
from regserver.ports.account_table import SourceLink
from regserver.ports.source import Subject
from regserver.store.sql.statement import Rows, columns

# In the order of the fields of Account.
ACCOUNT_COLUMNS = (
    "account.id, username, email, password_hash, door, ledger_name, server, subject,"
    " account.created_at, updated_at, deleted_at, email_verified_at, erased_at, waits_for, suspended_at"
)


def shown_name(table: str) -> str:
    """The name that others see of an account of a statement."""
    return f"CASE WHEN {table}.deleted_at IS NULL THEN {table}.username ELSE '{DELETED_USER}' END"


def read_account(row: tuple[Any, ...] | None) -> Account | None:
    """The account of a row of ACCOUNT_COLUMNS."""
    # By position, for speed: every request with a token calls it.
    return None if row is None else Account(*row)


class AccountRows(Rows):
    """The table account, of accounts of all doors, and the table profile."""

    async def add(self, account: NewAccount) -> AccountId:
        """One INSERT. The unique index of names raises Conflict."""
        names = account.username, name_key(account.username)
        key = None if account.email is None else email_key(account.email)
        emails = account.email, key, account.email_verified_at
        door = account.password_hash, account.origin, account.ledger_name, account.server, account.subject
        statement = (
            "INSERT INTO account (username, name_key, email, email_key, email_verified_at, password_hash, door,"
            " ledger_name, server, subject, created_at, updated_at, waits_for)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        rest = account.created_at, account.created_at, account.waits_for
        return AccountId(await self._sql.insert(statement, *names, *emails, *door, *rest))

    async def by_id(self, account: AccountId) -> Account | None:
        """Uses the primary key."""
        return await self._where("id = ?", account)

    async def by_name(self, key: NameKey) -> Account | None:
        """Uses the unique index of names."""
        return await self._where("name_key = ?", key)

    async def by_email(self, key: EmailKey) -> Account | None:
        """Uses the index of addresses."""
        return await self._where("email_key = ? ORDER BY email_verified_at IS NULL, id LIMIT 1", key)

    async def verify_email(self, account: AccountId, now: Instant | None) -> None:
        """Uses the primary key."""
        await self._sql.run("UPDATE account SET email_verified_at = ? WHERE id = ?", now, account)

    async def change_email(self, account: AccountId, email: str, now: Instant) -> None:
        """Uses the primary key."""
        statement = (
            "UPDATE account SET email = ?, email_key = ?, email_verified_at = ?, updated_at = ? WHERE id = ?"
        )
        await self._sql.run(statement, email, email_key(email), now, now, account)

    async def drop_wishes(self, key: EmailKey, keeper: AccountId) -> None:
        """Uses the index of addresses."""
        statement = "UPDATE account SET email = NULL, email_key = NULL WHERE email_key = ? AND id <> ?"
        await self._sql.run(statement, key, keeper)

    async def by_ledger_name(self, ledger_name: str) -> Account | None:
        """Uses the unique index of userIds."""
        return await self._where("ledger_name = ?", ledger_name)

    async def by_subject(self, source: str, subject: Subject) -> Account | None:
        """Uses the unique index of subjects. An account that is surely of this source comes first."""
        condition = "subject = ? AND source IN (?, '') ORDER BY source DESC LIMIT 1"
        return await self._where(condition, subject, source)

    async def source_link(self, account: AccountId | None) -> SourceLink | None:
        """Uses the primary key. Accounts of before these columns have the source's name for their own."""
        statement = (
            "SELECT source, COALESCE(source_name, username), COALESCE(source_confirmed_at, 0)"
            " FROM account WHERE id = ? AND source IS NOT NULL"
        )
        return await self._one(SourceLink, statement, account or 0)

    async def confirm_source(self, account: AccountId, link: SourceLink) -> None:
        """Uses the primary key."""
        statement = "UPDATE account SET source = ?, source_name = ?, source_confirmed_at = ? WHERE id = ?"
        await self._sql.run(statement, link.source, link.name, link.confirmed_at, account)

    async def _where(self, condition: str, *values: object) -> Account | None:
        return read_account(
            await self._sql.row(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE {condition}", *values)
        )

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        living = "SELECT id FROM account WHERE deleted_at IS NULL AND waits_for IS NULL AND id"
        return {row[0] for row in await self._among(accounts, living)}

    async def renew_password_hash(
        self, account: AccountId, known: str, renewed: str | None, now: Instant
    ) -> bool:
        """One UPDATE that compares and writes, so that it never undoes a change of the password."""
        statement = (
            "UPDATE account SET password_hash = ?, updated_at = ?"
            " WHERE id = ? AND COALESCE(password_hash, '') = ?"
        )
        return await self._sql.run(statement, renewed, now, account, known) > 0

    async def suspend(self, account: AccountId, now: Instant) -> bool:
        """One UPDATE that compares and writes."""
        statement = (
            "UPDATE account SET suspended_at = ?, updated_at = ?"
            " WHERE id = ? AND suspended_at IS NULL AND erased_at IS NULL"
        )
        return await self._sql.run(statement, now, now, account) > 0

    async def resume(self, account: AccountId, now: Instant) -> bool:
        """One UPDATE that compares and writes."""
        statement = (
            "UPDATE account SET suspended_at = NULL, updated_at = ? WHERE id = ? AND suspended_at IS NOT NULL"
        )
        return await self._sql.run(statement, now, account) > 0

    async def rename(self, account: AccountId, username: str, now: Instant) -> None:
        """The unique index of names raises Conflict."""
        statement = "UPDATE account SET username = ?, name_key = ?, updated_at = ? WHERE id = ?"
        await self._sql.run(statement, username, name_key(username), now, account)

    async def search(self, text: str, after: AccountId, limit: int) -> tuple[Account, ...]:
        """By the primary key; a text is looked for in every account behind it, which only the operator asks for."""
        key = re.sub(r"([%_|])", r"|\1", name_key(text))
        found = " AND (name_key LIKE ? ESCAPE '|' OR email_key LIKE ? ESCAPE '|')" if text else ""
        pattern = [f"%{key}%"] * 2 if text else []
        statement = f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE id > ? AND erased_at IS NULL{found} ORDER BY id LIMIT ?"
        rows = await self._sql.rows(statement, after, *pattern, limit)
        return tuple(account for account in map(read_account, rows) if account is not None)

    async def mark_deleted(self, account: AccountId, now: Instant) -> bool:
        """One UPDATE that compares and writes, so that of two deletions one succeeds."""
        statement = "UPDATE account SET deleted_at = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL"
        return await self._sql.run(statement, now, now, account) > 0

    async def restore(self, account: AccountId, now: Instant) -> bool:
        """One UPDATE that compares and writes, so that of a restoration and an erasure one succeeds."""
        statement = (
            "UPDATE account SET deleted_at = NULL, updated_at = ?"
            " WHERE id = ? AND deleted_at IS NOT NULL AND erased_at IS NULL"
        )
        return await self._sql.run(statement, now, account) > 0

    async def add_profile(self, account: AccountId, profile: Profile) -> None:
        """One profile per account, by the primary key."""
        statement = "INSERT INTO profile (account_id, first_name, middle_name, last_name) VALUES (?, ?, ?, ?)"
        await self._sql.run(statement, account, profile.first_name, profile.middle_name, profile.last_name)

    async def profile(self, account: AccountId) -> Profile | None:
        """Uses the primary key."""
        statement = f"SELECT {columns(Profile)} FROM profile WHERE account_id = ?"
        return await self._one(Profile, statement, account)
