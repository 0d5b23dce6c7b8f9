"""How commands print accounts and their sessions."""

from collections.abc import Iterator

from regserver.cli.told import Told
from regserver.domain.account import Account
from regserver.domain.instant import iso_seconds
from regserver.domain.session import AccountSession


def account_told(account: Account) -> Told:
    """An account, in lines and as JSON."""
    return Told(tuple(_account_lines(account)), dict(account_fields(account)))


def _account_lines(account: Account) -> Iterator[str]:
    labels = {"number": "number", "username": "username", "email": "e-mail", "userId": "userId"}
    labels |= {"server": "server", "door": "door", "password": "password"}
    labels |= {"waitsFor": "waits for", "createdAt": "created", "suspendedAt": "suspended"}
    labels |= {"deletedAt": "deleted", "erasedAt": "erased"}
    for name, value in account_fields(account):
        if value is not None:
            shown = ("set" if value else "none") if name == "password" else value
            yield f"{labels[name]:9} {shown}"


def account_fields(account: Account) -> Iterator[tuple[str, object]]:
    """Its fields by name."""
    yield from (("number", account.id), ("username", account.username), ("email", account.email))
    yield from (("userId", account.ledger_name), ("server", account.server), ("door", account.origin))
    yield from (("password", account.password_hash is not None), ("waitsFor", account.waits_for))
    times = {"createdAt": account.created_at, "suspendedAt": account.suspended_at}
    times |= {"deletedAt": account.deleted_at, "erasedAt": account.erased_at}
    yield from ((name, None if at is None else iso_seconds(at)) for name, at in times.items())


def waiting_line(account: Account) -> str:
    """An account that waits, in one line."""
    whom = f"{account.username}  {account.email or '-'}  {account.origin}"
    return f"{account.id:8}  since {iso_seconds(account.created_at)}  {account.waits_for:12}  {whom}"


def session_value(session: AccountSession) -> dict[str, object]:
    """A session, for --json."""
    return {
        "sessionId": session.id,
        "name": session.name,
        "agent": session.agent,
        "network": session.network,
        "createdAt": iso_seconds(session.created_at),
        "lastUsedAt": iso_seconds(session.last_used_at),
        "expiresAt": iso_seconds(session.expires_at),
    }


def session_line(session: AccountSession) -> str:
    """A session, in one line."""
    times = f"since {iso_seconds(session.created_at)}  used {iso_seconds(session.last_used_at)}"
    what = f"token {session.name}" if session.name is not None else session.agent or "-"
    return f"{session.id:10}  {times}  until {iso_seconds(session.expires_at)}  {session.network or '-':18}  {what}"


def user_line(account: Account) -> str:
    """An account in a list."""
    states = (
        ("erased", account.erased_at),
        ("deleted", account.deleted_at),
        ("suspended", account.suspended_at),
    )
    state = next((word for word, at in states if at is not None), account.waits_for or "")
    whom = f"{account.username:24}  {account.origin:9}  {account.email or '-'}"
    return f"{account.id:8}  since {iso_seconds(account.created_at)}  {whom}  {state}".rstrip()
