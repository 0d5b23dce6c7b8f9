"""Accounts, names and tokens."""

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
from regserver.domain.secret import SecretHash
from regserver.ports.store import Holder
from regserver.store.sql.statement import Sql, marks, pieces

COLUMNS = (
    "account.id, username, email, password_hash, door, ledger_name, server, subject,"
    " account.created_at, updated_at, deleted_at"
)


def _account(row: tuple[Any, ...] | None) -> Account | None:
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
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, account: NewAccount) -> AccountId | None:
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
        return _account(await self._sql.row(f"SELECT {COLUMNS} FROM account WHERE id = ?", account))

    async def by_name(self, key: NameKey) -> Account | None:
        return _account(await self._sql.row(f"SELECT {COLUMNS} FROM account WHERE name_key = ?", key))

    async def by_email(self, key: EmailKey) -> Account | None:
        return _account(await self._sql.row(f"SELECT {COLUMNS} FROM account WHERE email_key = ?", key))

    async def by_ledger_name(self, ledger_name: str) -> Account | None:
        return _account(
            await self._sql.row(f"SELECT {COLUMNS} FROM account WHERE ledger_name = ?", ledger_name)
        )

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        found: set[AccountId] = set()
        for piece in pieces(accounts):
            rows = await self._sql.rows(
                f"SELECT id FROM account WHERE deleted_at IS NULL AND id IN ({marks(piece)})", *piece
            )
            found.update(row[0] for row in rows)
        return found

    async def set_password_hash(self, account: AccountId, password_hash: str, now: Instant) -> None:
        await self._sql.run(
            "UPDATE account SET password_hash = ?, updated_at = ? WHERE id = ?", password_hash, now, account
        )

    async def mark_deleted(self, account: AccountId, now: Instant) -> None:
        await self._sql.run(
            "UPDATE account SET deleted_at = ?, updated_at = ? WHERE id = ?", now, now, account
        )

    async def add_profile(self, account: AccountId, profile: Profile) -> None:
        await self._sql.run(
            "INSERT INTO profile (account_id, first_name, middle_name, last_name) VALUES (?, ?, ?, ?)",
            account,
            profile.first_name,
            profile.middle_name,
            profile.last_name,
        )

    async def profile(self, account: AccountId) -> Profile | None:
        row = await self._sql.row(
            "SELECT first_name, middle_name, last_name FROM profile WHERE account_id = ?", account
        )
        return None if row is None else Profile(first_name=row[0], middle_name=row[1], last_name=row[2])


class NameRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        row = await self._sql.row(
            "INSERT INTO name (name_key, holder, expires_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name_key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
            " WHERE name.holder = excluded.holder OR name.expires_at <= ? RETURNING 1",
            key,
            holder,
            expires_at,
            now,
        )
        return row is not None

    async def holder(self, key: NameKey, now: Instant) -> Holder | None:
        row = await self._sql.row(
            "SELECT holder, expires_at FROM name WHERE name_key = ? AND (expires_at IS NULL OR expires_at > ?)",
            key,
            now,
        )
        return None if row is None else Holder(row[0], row[1])

    async def release(self, key: NameKey, holder: str) -> None:
        await self._sql.run("DELETE FROM name WHERE name_key = ? AND holder = ?", key, holder)

    async def purge(self, now: Instant) -> int:
        return await self._sql.run("DELETE FROM name WHERE expires_at <= ?", now)


class TokenRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, token: SecretHash, account: AccountId, now: Instant, expires_at: Instant) -> None:
        await self._sql.run(
            "INSERT INTO token (hash, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            token,
            account,
            now,
            expires_at,
        )

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        return _account(
            await self._sql.row(
                f"SELECT {COLUMNS} FROM token JOIN account ON account.id = token.account_id"
                " WHERE token.hash = ? AND token.expires_at > ?",
                token,
                now,
            )
        )

    async def expiry(self, token: SecretHash) -> Instant | None:
        row = await self._sql.row("SELECT expires_at FROM token WHERE hash = ?", token)
        return None if row is None else Instant(row[0])

    async def remove(self, token: SecretHash) -> None:
        await self._sql.run("DELETE FROM token WHERE hash = ?", token)

    async def remove_all(self, account: AccountId) -> None:
        await self._sql.run("DELETE FROM token WHERE account_id = ?", account)

    async def add_ticket(self, ticket: SecretHash, token: SecretHash, expires_at: Instant) -> None:
        await self._sql.run(
            "INSERT INTO ticket (hash, token_hash, expires_at) VALUES (?, ?, ?)", ticket, token, expires_at
        )

    async def take_ticket(self, ticket: SecretHash, now: Instant) -> SecretHash | None:
        row = await self._sql.row(
            "DELETE FROM ticket WHERE hash = ? RETURNING token_hash, expires_at", ticket
        )
        return None if row is None or row[1] <= now else SecretHash(row[0])

    async def purge(self, now: Instant) -> int:
        tickets = await self._sql.run("DELETE FROM ticket WHERE expires_at <= ?", now)
        return tickets + await self._sql.run("DELETE FROM token WHERE expires_at <= ?", now)
