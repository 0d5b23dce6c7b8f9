"""Passkeys, and answered challenges."""

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.ports.passkey_table import NewPasskey, Passkey, PasskeyId, StoredPasskey
from regserver.store.sql.statement import Rows, columns

ADD_PASSKEY = (
    "INSERT INTO passkey (credential, account_id, public_key, sign_count, name, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (credential) DO NOTHING"
)
# A counter of 0 says that the authenticator has none (WebAuthn, 6.1.1).
USE_PASSKEY = (
    "UPDATE passkey SET sign_count = ?, last_used_at = ?"
    " WHERE id = ? AND (sign_count < ? OR (sign_count = 0 AND ? = 0))"
)


class PasskeyRows(Rows):
    """The tables passkey and passkey_challenge."""

    async def add(self, passkey: NewPasskey) -> bool:
        """The unique index of credentials decides."""
        it = passkey
        values = it.credential, it.account, it.public_key, it.sign_count, it.name, it.created_at
        return await self._sql.run(ADD_PASSKEY, *values) == 1

    async def of_account(self, account: AccountId) -> tuple[Passkey, ...]:
        """Uses the index of accounts."""
        statement = f"SELECT {columns(Passkey)} FROM passkey WHERE account_id = ? ORDER BY id"
        return await self._all(Passkey, statement, account)

    async def credentials(self, account: AccountId) -> tuple[bytes, ...]:
        """Uses the index of accounts."""
        statement = "SELECT credential FROM passkey WHERE account_id = ? ORDER BY id"
        return tuple([bytes(row[0]) for row in await self._sql.rows(statement, account)])

    async def by_credential(self, credential: bytes) -> StoredPasskey | None:
        """Uses the unique index of credentials."""
        statement = "SELECT id, account_id, public_key, sign_count FROM passkey WHERE credential = ?"
        return await self._one(StoredPasskey, statement, credential)

    async def use(self, passkey: PasskeyId, sign_count: int, now: Instant) -> bool:
        """One UPDATE that compares and writes."""
        return await self._sql.run(USE_PASSKEY, sign_count, now, passkey, sign_count, sign_count) == 1

    async def remove(self, account: AccountId, passkey: PasskeyId) -> bool:
        """Uses the primary key."""
        statement = "DELETE FROM passkey WHERE id = ? AND account_id = ?"
        return await self._sql.run(statement, passkey, account) == 1

    async def remove_all(self, account: AccountId) -> None:
        """Uses the index of accounts."""
        await self._sql.run("DELETE FROM passkey WHERE account_id = ?", account)

    async def use_challenge(self, challenge: SecretHash, expires_at: Instant) -> bool:
        """The primary key decides."""
        statement = (
            "INSERT INTO passkey_challenge (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
        )
        return await self._sql.run(statement, challenge, expires_at) == 1

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM passkey_challenge WHERE expires_at <= ?", now)
