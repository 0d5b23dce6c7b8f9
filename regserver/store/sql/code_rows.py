"""One-time codes for signing in."""

from regserver.domain.account import AccountId
from regserver.domain.contact import ContactKey
from regserver.domain.instant import Instant
from regserver.domain.sign_in_code import SignInCode
from regserver.store.sql.statement import Rows, columns, placeholders

COLUMNS = columns(SignInCode)
CHANGED = ", ".join(f"{name} = excluded.{name}" for name in SignInCode.__struct_fields__ if name != "contact")
SAVE = (
    f"INSERT INTO sign_in_code ({COLUMNS}) VALUES ({placeholders(SignInCode.__struct_fields__)})"
    f" ON CONFLICT (contact) DO UPDATE SET {CHANGED}"
)


class CodeRows(Rows):
    """The table sign_in_code."""

    async def find(self, contact: ContactKey) -> SignInCode | None:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM sign_in_code WHERE contact = ?"
        return await self._one(SignInCode, statement, contact)

    async def save(self, code: SignInCode) -> None:
        """One upsert."""
        values = [getattr(code, name) for name in SignInCode.__struct_fields__]
        await self._sql.run(SAVE, *values)

    async def remove(self, contact: ContactKey) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM sign_in_code WHERE contact = ?", contact)

    async def remove_all(self, account: AccountId) -> None:
        """Uses the index of accounts."""
        await self._sql.run("DELETE FROM sign_in_code WHERE account_id = ?", account)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM sign_in_code WHERE expires_at <= ?", now)
