"""`regserver user ACTION NAME`: an account, found by user name, e-mail address or userId of any door, its sessions, and a link that sets its password.

All of it works beside a running server: that notices what was written, and closes the sockets of what ended.
"""

import argparse
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.cli import CommandFault, configuration
from regserver.cli.store import open_store
from regserver.cli.told import Told, read_life, tell
from regserver.config import StorePlace
from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import DAY, MINUTE, Duration, after, iso_seconds
from regserver.domain.outcome import SessionNotFound
from regserver.domain.room import parse_id
from regserver.domain.session import AccountSession, SessionId
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import close_account, refuse_locked, restore_account
from regserver.service.account_ending import end_outstanding
from regserver.service.approval import approve_locked
from regserver.service.mailed_link import add_recovery_link, link_address, new_link_secret
from regserver.service.own_password import has_own_password
from regserver.service.session_service import MOST_LISTED, end_session
from regserver.text import LANGUAGES

LONGEST_LINK = Duration(7 * DAY)
MAX_WAITING = 10_000
UserAction = Callable[[Store, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=(*ACTIONS, "export", "import"),
        help="show: print an account without its secrets; sessions: list its sessions and tokens; revoke: end them all, or"
        " one; delete: delete an account, which erases it after login.deletion_grace; restore: bring a deleted account"
        " back, before it is erased; reset-link: print a link that sets a new password, once; export: print everything that is kept about"
        " the person as one JSON document; import: make an account for each line of a file; waiting: list the accounts that wait for their approval, or for the verification"
        " of their address; approve: let one of them in",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="user name, e-mail address, number or 12-character userId; a file of JSON lines or CSV (- for standard input) for"
        " import; none for waiting",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="import: say what would come of it, and write nothing"
    )
    parser.add_argument("--reject", action="store_true", help="approve: delete it for good instead")
    parser.add_argument(
        "--session", metavar="ID", help="revoke: the one session to end, as `sessions` lists it"
    )
    parser.add_argument(
        "--expires",
        metavar="TIME",
        help="reset-link: how long the link works, from 1m to 7d (an hour without it)",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="export: write a new file, readable by its owner alone"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int | None:
    """Does what the action says, and prints what came of it."""
    if chosen.session is not None and chosen.action != "revoke":
        chosen.misused("--session: only with revoke")
    if chosen.expires is not None and chosen.action != "reset-link":
        chosen.misused("--expires: only with reset-link")
    if chosen.output is not None and chosen.action != "export":
        chosen.misused("--output: only with export")
    if chosen.reject and chosen.action != "approve":
        chosen.misused("--reject: only with approve")
    if chosen.dry_run and chosen.action != "import":
        chosen.misused("--dry-run: only with import")
    if (chosen.name is None) is not (chosen.action == "waiting"):
        chosen.misused("expected NAME" if chosen.name is None else "waiting: no NAME")
    if chosen.action == "export":
        return open_store(chosen, partial(_exported, chosen))
    if chosen.action == "import":
        return open_store(chosen, partial(_imported, chosen))
    tell(chosen, open_store(chosen, lambda store, _: ACTIONS[chosen.action](store, chosen)))
    return None


# --- the account
async def _shown(store: Store, chosen: argparse.Namespace) -> Told:
    return _account_told(await store.read(lambda transaction: _find(transaction, chosen.name)))


async def _deleted(store: Store, chosen: argparse.Namespace) -> Told:
    """Deletes it; a running server ends its sockets and memberships within seconds, another at its start."""

    async def work(transaction: Transaction) -> Account:
        account = await _find(transaction, chosen.name)
        if not await close_account(transaction, account, SystemClock().now()):
            raise CommandFault(f"account {account.id} is deleted already")
        return await _find(transaction, str(account.id))

    return _account_told(await store.write(work))


async def _restored(store: Store, chosen: argparse.Namespace) -> Told:
    async def work(transaction: Transaction) -> Account:
        account = await _find(transaction, chosen.name)
        if not await restore_account(transaction, account.id, SystemClock().now()):
            state = "is erased" if account.erased_at else "is not deleted"
            raise CommandFault(f"account {account.id} {state}")
        return await _find(transaction, str(account.id))

    return _account_told(await store.write(work))


async def _exported(chosen: argparse.Namespace, store: Store, place: StorePlace) -> None:
    from regserver.cli.user_export import export_account  # loads the web's modules, which takes long

    account = await store.read(lambda transaction: _find(transaction, chosen.name))
    await export_account(store, place, account.id, chosen.output)


async def _imported(chosen: argparse.Namespace, store: Store, place: StorePlace) -> int:
    from regserver.cli.user_import import import_people  # loads libraries of hashes, which takes long

    return await import_people(store, place, chosen)


# --- its sessions
async def _sessions(store: Store, chosen: argparse.Namespace) -> Told:
    async def work(transaction: Transaction) -> tuple[AccountSession, ...]:
        account = await _find(transaction, chosen.name)
        found = await transaction.tokens.of_account(account.id, SystemClock().now(), MOST_LISTED)
        return tuple(found.values())

    sessions = await store.read(work)
    lines = tuple(map(_session_line, sessions)) or ("no sessions",)
    return Told(lines, [_session_value(session) for session in sessions])


async def _revoked(store: Store, chosen: argparse.Namespace) -> Told:
    """Ends all of its sessions and tokens, or one; a running server closes their sockets within seconds."""

    async def work(transaction: Transaction) -> int:
        account = await _find(transaction, chosen.name)
        await transaction.lock(Lock.ACCOUNT, account.id)
        if chosen.session is None:
            everywhere = AccountEvent.SIGNED_OUT_EVERYWHERE
            return len((await end_outstanding(transaction, everywhere, account.id, None)).tokens)
        ended = await end_session(transaction, account.id, SessionId(parse_id(chosen.session) or 0))
        if isinstance(ended, SessionNotFound):
            raise CommandFault(f"account {account.id} has no session {chosen.session}")
        return len(ended.tokens)

    count = await store.write(work)
    return Told((f"{count} {'session' if count == 1 else 'sessions'} ended",), {"ended": count})


# --- a new password
async def _reset_link(store: Store, chosen: argparse.Namespace) -> Told:
    """A link that needs no mail; whoever opens it sets the account's password."""
    life, clock = read_life(chosen.expires or "1h", Duration(MINUTE), LONGEST_LINK), SystemClock()
    secret = new_link_secret(SystemRandomness())

    async def work(transaction: Transaction) -> tuple[Account, str]:
        account = await _find(transaction, chosen.name)
        await transaction.lock(Lock.ACCOUNT, account.id)
        if account.deleted_at is not None:
            raise CommandFault(f"account {account.id} is deleted")
        if not await has_own_password(transaction, account):
            raise CommandFault(f"the password of account {account.id} is the data source's: change it there")
        await add_recovery_link(transaction, account.id, secret, clock, life)
        return account, await transaction.networks.language(account.id) or LANGUAGES[0]

    account, language = await store.write(work)
    base = configuration(chosen).settings.server.public_url.rstrip("/")
    link, until = link_address(base, "recover", secret, language), iso_seconds(after(clock.now(), life))
    lines = (link, f"sets the password of {account.username}, once, until {until}")
    hint = () if base else ("open it below the server's address; server.public_url is not set",)
    return Told((*lines, *hint), {"link": link, "username": account.username, "expiresAt": until})


# --- accounts that wait
async def _waiting(store: Store, chosen: argparse.Namespace) -> Told:
    """Those that wait longest first."""
    found = await store.read(lambda transaction: transaction.waiting.list(MAX_WAITING))
    lines = tuple(map(_waiting_line, found)) or ("nobody waits",)
    return Told(lines, [dict(_account_fields(account)) for account in found])


async def _approved(store: Store, chosen: argparse.Namespace) -> Told:
    """Lets it in, or with --reject deletes it for good; a running server mails its person, or erases it, within a minute."""

    async def work(transaction: Transaction) -> Account:
        account, now = await _find(transaction, chosen.name), SystemClock().now()
        await transaction.lock(Lock.ACCOUNT, account.id)
        act = refuse_locked if chosen.reject else approve_locked
        if not await act(transaction, account.id, now):
            raise CommandFault(f"account {account.id} does not wait")
        return await _find(transaction, str(account.id))

    return _account_told(await store.write(work))


ACTIONS: Mapping[str, UserAction] = {
    "show": _shown,
    "sessions": _sessions,
    "revoke": _revoked,
    "delete": _deleted,
    "restore": _restored,
    "reset-link": _reset_link,
    "waiting": _waiting,
    "approve": _approved,
}


async def _find(transaction: Transaction, name: str) -> Account:
    """Raises CommandFault when there is none."""
    accounts, number = transaction.accounts, parse_id(name)
    found = is_sign_in_name(name) and (
        await accounts.by_name(name_key(name))
        or await accounts.by_email(email_key(name))
        or await accounts.by_ledger_name(name)
        or (None if number is None else await accounts.by_id(AccountId(number)))
    )
    if not found:
        raise CommandFault("no such account")
    return found


# --- how it is printed
def _account_told(account: Account) -> Told:
    return Told(tuple(_account_lines(account)), dict(_account_fields(account)))


def _account_lines(account: Account) -> Iterator[str]:
    labels = {"number": "number", "username": "username", "email": "e-mail", "userId": "userId"}
    labels |= {"server": "server", "door": "door", "password": "password"}
    labels |= {"waitsFor": "waits for", "createdAt": "created", "deletedAt": "deleted", "erasedAt": "erased"}
    for name, value in _account_fields(account):
        if value is not None:
            shown = ("set" if value else "none") if name == "password" else value
            yield f"{labels[name]:9} {shown}"


def _account_fields(account: Account) -> Iterator[tuple[str, object]]:
    yield from (("number", account.id), ("username", account.username), ("email", account.email))
    yield from (("userId", account.ledger_name), ("server", account.server), ("door", account.origin))
    yield from (("password", account.password_hash is not None), ("waitsFor", account.waits_for))
    times = {"createdAt": account.created_at, "deletedAt": account.deleted_at, "erasedAt": account.erased_at}
    yield from ((name, None if at is None else iso_seconds(at)) for name, at in times.items())


def _waiting_line(account: Account) -> str:
    whom = f"{account.username}  {account.email or '-'}  {account.origin}"
    return f"{account.id:8}  since {iso_seconds(account.created_at)}  {account.waits_for:12}  {whom}"


def _session_value(session: AccountSession) -> dict[str, object]:
    return {
        "sessionId": session.id,
        "name": session.name,
        "agent": session.agent,
        "network": session.network,
        "createdAt": iso_seconds(session.created_at),
        "lastUsedAt": iso_seconds(session.last_used_at),
        "expiresAt": iso_seconds(session.expires_at),
    }


def _session_line(session: AccountSession) -> str:
    times = f"since {iso_seconds(session.created_at)}  used {iso_seconds(session.last_used_at)}"
    what = f"token {session.name}" if session.name is not None else session.agent or "-"
    return f"{session.id:10}  {times}  until {iso_seconds(session.expires_at)}  {session.network or '-':18}  {what}"
