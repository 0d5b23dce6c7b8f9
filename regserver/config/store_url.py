"""Where the store is: store.url, with store.password for PostgreSQL."""

import re
from pathlib import Path

import msgspec

from regserver.config.section import Secret
from regserver.config.setting import StoreSection

FORM = '"sqlite:FILE" or "postgresql://user@host/database"'
_POSTGRES = ("postgresql:", "postgres:")
# By hand, as in `smtp_url`: urlsplit cuts the URL at a `#` in the password, and its errors quote what follows. All else about
# it is for libpq, whose errors quote it, too, and are not shown.
_URL = re.compile(
    r"postgres(?:ql)?://(?:[^\s/?#@:]*(?P<password>:[^\s/?#@]*)?@)?(?P<hosts>[^\s/?#@]*)/(?P<database>[^\s/?#@]+)"
    r"(?:\?(?P<options>[^\s#]*))?"
)
_ESCAPES = (
    f'{FORM}, with "@" in user and password written as %40, "#" as %23, "/" as %2F, "?" as %3F, ":" as %3A and "%" as %25,'
    " or the password in store.password"
)


class PostgresAddress(msgspec.Struct, frozen=True):
    """A database on a server of PostgreSQL. As text it is without user, password and options.

    url: as libpq reads it. password: for a URL without one; "" if the URL has it, or none is needed.
    """

    url: Secret
    password: Secret
    shown: str

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"PostgresAddress({self.shown})"


def read_store_url(store: StoreSection) -> Path | PostgresAddress:
    """The database of the settings: the file of "sqlite:FILE", or a server's. Raises ValueError with the expected form."""
    if store.url.startswith(_POSTGRES):
        return _read_postgres(store)
    kind, _, path = store.url.partition(":")
    if kind != "sqlite" or not path:
        raise ValueError(FORM)
    return Path(path)


def _read_postgres(store: StoreSection) -> PostgresAddress:
    found = _URL.fullmatch(store.url)
    if found is None:
        raise ValueError(_ESCAPES if "@" in store.url else FORM)
    if any(
        option.startswith(("password=", "sslpassword=")) for option in (found["options"] or "").split("&")
    ):
        raise ValueError("no password among the options: write it in store.password")
    if found["password"] and store.password:
        raise ValueError("a URL without a password, since store.password has one")
    return PostgresAddress(store.url, store.password, f"postgresql://{found['hosts']}/{found['database']}")
