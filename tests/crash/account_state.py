"""What a server keeps of one account, read from its file without the server: the same words for the same state of anybody."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from regserver.adapters.server_key import load_server_key
from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.domain.account import name_key
from regserver.domain.secret import hash_secret
from regserver.ports.mailer import Mail
from regserver.service.outbox import Outbox

OLD, NEW = "the first long password", "a quite new password"
OF_ACCOUNT = ("recovery_code", "factor_ticket", "passkey", "verified_contact", "sign_in_code")
"""Tables of which the number of an account's rows matters."""


class AccountState(msgspec.Struct, frozen=True):
    """Everything that a change of an account may change.

    password: whether it is the first one or the new one; "" for none. email: the domain, which tells old and new apart. tokens: which of those that were
    given out still have a session; further: sessions beside them. counts: rows by table. links: purposes. mails: addresses'
    domains with subjects.
    """

    is_there: bool = False
    password: str = ""
    email: str = ""
    is_verified: bool = False
    is_deleted: bool = False
    totp: str = ""
    tokens: tuple[str, ...] = ()
    further: int = 0
    counts: tuple[int, ...] = ()
    links: tuple[str, ...] = ()
    has_name: bool = False
    mails: tuple[str, ...] = ()


class AccountFile:
    """The database of a server, and its key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outbox: Outbox | None = None
        self._opened: dict[int, Mail] = {}

    def mails(self) -> list[Mail]:
        """All that wait, oldest first."""
        if self._outbox is None:
            key = load_server_key(self._path.with_suffix(".key"))
            self._outbox = Outbox(SystemClock(), SystemRandomness(), key.derive("outbox"))
        newest = max(self._opened, default=0)
        with closing(sqlite3.connect(self._path)) as connection:
            waiting = [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY id")]
            new = connection.execute("SELECT id, sealed FROM outbox WHERE id > ?", (newest,)).fetchall()
        for number, sealed in new:
            mail = self._outbox.open(sealed)
            assert mail is not None
            self._opened[number] = mail
        return [self._opened[number] for number in waiting if number in self._opened]

    def state(self, name: str, tokens: Mapping[str, str]) -> AccountState:
        """tokens: that were given out, by what they are."""
        mails = sorted(
            f"{mail.to.partition('@')[2]}: {mail.subject}"
            for mail in self.mails()
            if mail.to.startswith(f"{name}@")
        )
        with closing(sqlite3.connect(self._path)) as connection:
            return _read(connection, name, tokens, tuple(mails))


def _read(
    connection: sqlite3.Connection, name: str, tokens: Mapping[str, str], mails: tuple[str, ...]
) -> AccountState:
    def rows(statement: str, *values: Any) -> list[Any]:
        return connection.execute(statement, values).fetchall()

    columns = "id, password_hash, email, email_verified_at, deleted_at"
    found = rows(f"SELECT {columns} FROM account WHERE username = ?", name)  # noqa: S608
    has_name = bool(rows("SELECT 1 FROM name WHERE name_key = ?", name_key(name)))
    if not found:
        return AccountState(has_name=has_name, mails=mails)
    ((account, password, email, verified_at, deleted_at),) = found
    kept = {row[0] for row in rows("SELECT hash FROM token WHERE account_id = ?", account)}
    known = {what: hash_secret(token) for what, token in tokens.items()}
    totp = rows("SELECT enabled_at FROM totp WHERE account_id = ?", account)
    links = rows("SELECT purpose FROM account_link WHERE account_id = ? ORDER BY purpose", account)
    return AccountState(
        is_there=True,
        password=next((each for each in (OLD, NEW) if _is(password, each)), ""),
        email=(email or "").partition("@")[2],
        is_verified=verified_at is not None,
        is_deleted=deleted_at is not None,
        totp="" if not totp else "on" if totp[0][0] else "pending",
        tokens=tuple(what for what, token in known.items() if token in kept),
        further=len(kept - set(known.values())),
        counts=tuple(
            rows(f"SELECT count(*) FROM {table} WHERE account_id = ?", account)[0][0]  # noqa: S608
            for table in OF_ACCOUNT
        ),
        links=tuple(row[0] for row in links),
        has_name=has_name,
        mails=mails,
    )


def _is(hashed: str | None, password: str) -> bool:
    try:
        return hashed is not None and PasswordHasher().verify(hashed, password)
    except VerifyMismatchError:
        return False
