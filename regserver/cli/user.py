"""`regserver user ACTION NAME`: accounts, found by user name, e-mail address or userId of any door, and all that an operator does with them.

All of it works beside a running server: that notices what was written, and closes the sockets of what ended.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from regserver.adapters.system import SystemRandomness
from regserver.cli import CommandFault
from regserver.cli.new_user import add_arguments, created, password_set
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import StoreClock, open_store
from regserver.cli.told import Told, read_life, tell
from regserver.cli.user_told import (
    account_fields,
    account_told,
    session_line,
    session_value,
    user_line,
    waiting_line,
)
from regserver.config import StorePlace
from regserver.domain.account import Account, AccountId
from regserver.domain.instant import DAY, HOUR, MINUTE, Duration, iso_seconds
from regserver.domain.operator_outcome import AccountUnchanged
from regserver.domain.outcome import (
    AccountNotFound,
    PasswordAtSource,
    Refusal,
    SessionNotFound,
    UserIsDeleted,
)
from regserver.domain.room import parse_id
from regserver.domain.session import SessionId
from regserver.ports.store import Store
from regserver.service.operator.user import UserDesk, UserParts
from regserver.text import LANGUAGES

LONGEST_LINK = Duration(7 * DAY)
MAX_LISTED = 10_000
UserAction = Callable[[UserDesk, argparse.Namespace], Awaitable[Told]]

ONLY_WITH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("session", ("revoke",)),
    ("expires", ("reset-link",)),
    ("output", ("export",)),
    ("reject", ("approve",)),
    ("dry_run", ("import",)),
    ("search", ("list",)),
    ("email", ("create",)),
    ("verified", ("create",)),
    ("no_password", ("create",)),
    ("to", ("rename",)),
)
"""Options, and the actions that take them."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=(*ACTIONS, "create", "password", "export", "import"),
        help="list: all accounts, or those that --search finds; show: print one without its secrets; create: make one; password: set"
        " its password; reset-link: print a link that sets a new password, once; rename: give it another name; suspend: let nobody"
        " in, until resume; delete: delete an account, which erases it after login.deletion_grace; restore: bring a deleted account"
        " back, before it is erased; sessions: list its sessions and tokens; revoke: end them all, or one; waiting: list the accounts"
        " that wait for their approval, or for the verification of their address; approve: let one of them in; export: print"
        " everything that is kept about the person as one JSON document; import: make an account for each line of a file",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="user name, e-mail address, number or 12-character userId; a file of JSON lines or CSV (- for standard input) for"
        " import; none for list and waiting",
    )
    parser.add_argument("--search", metavar="TEXT", help="list: those whose name or address has it in it")
    parser.add_argument("--to", metavar="NAME", help="rename: the new name; the old one is free at once")
    add_arguments(parser)
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
    for option, actions in ONLY_WITH:
        if getattr(chosen, option) and chosen.action not in actions:
            chosen.misused(f"--{option.replace('_', '-')}: only with {actions[0]}")
    if (chosen.name is None) is not (chosen.action in {"waiting", "list"}):
        chosen.misused("expected NAME" if chosen.name is None else f"{chosen.action}: no NAME")
    if (chosen.action == "rename") is not bool(chosen.to):
        chosen.misused("rename: expected --to NAME")
    if chosen.action == "export":
        return open_store(chosen, partial(_exported, chosen))
    if chosen.action == "import":
        return open_store(chosen, partial(_imported, chosen))
    if chosen.action in {"create", "password"}:
        act = created if chosen.action == "create" else password_set
        tell(chosen, open_store(chosen, partial(act, chosen)))
        return None
    tell(chosen, open_store(chosen, partial(_acted, chosen)))
    return None


async def _acted(chosen: argparse.Namespace, store: Store, place: StorePlace) -> Told:
    base = place.settings.server.public_url.rstrip("/")
    parts = UserParts(
        operator_unit(store), StoreClock(store), SystemRandomness(), link_base=base, language=LANGUAGES[0]
    )
    return await ACTIONS[chosen.action](UserDesk(parts), chosen)


async def _exported(chosen: argparse.Namespace, store: Store, place: StorePlace) -> None:
    from regserver.cli.user_export import export_account  # loads the web's modules, which takes long

    found = await UserDesk(UserParts(operator_unit(store), StoreClock(store), SystemRandomness())).show(
        local_operator(), chosen.name
    )
    if isinstance(found, Refusal):
        raise CommandFault("no such account")
    await export_account(store, place, found.account.id, chosen.output)


async def _imported(chosen: argparse.Namespace, store: Store, place: StorePlace) -> int:
    from regserver.cli.user_import import import_people  # loads libraries of hashes, which takes long

    return await import_people(store, place, chosen)


# --- seen
async def _listed(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """In pages, so that no unit of work reads for long."""
    found: list[Account] = []
    while len(found) < MAX_LISTED:
        after = found[-1].id if found else AccountId(0)
        page = await desk.list(local_operator(), chosen.search or "", after, 500)
        if isinstance(page, Refusal):
            refused(page, "accounts")
        found += page
        if len(page) < 500:
            break
    lines = tuple(map(user_line, found)) or ("no accounts",)
    return Told(lines, [dict(account_fields(account)) for account in found])


async def _shown(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    return account_told(await _one(desk, chosen))


async def _one(desk: UserDesk, chosen: argparse.Namespace) -> Account:
    found = await desk.show(local_operator(), chosen.name)
    if isinstance(found, Refusal):
        raise CommandFault("no such account")
    return found.account


async def _waiting(desk: UserDesk, _: argparse.Namespace) -> Told:
    """Those that wait longest first."""
    found = await desk.waiting(local_operator(), MAX_LISTED)
    if isinstance(found, Refusal):
        refused(found, "accounts")
    lines = tuple(map(waiting_line, found)) or ("nobody waits",)
    return Told(lines, [dict(account_fields(account)) for account in found])


async def _sessions(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    found = await desk.sessions(local_operator(), chosen.name)
    if isinstance(found, Refusal):
        raise CommandFault("no such account")
    lines = tuple(map(session_line, found)) or ("no sessions",)
    return Told(lines, [session_value(session) for session in found])


# --- changed
async def _changed(desk: UserDesk, chosen: argparse.Namespace, found: Account | Refusal) -> Told:
    """What became of the account, or why nothing did."""
    match found:
        case Account():
            return account_told(found)
        case AccountNotFound():
            raise CommandFault("no such account")
        case AccountUnchanged(hint=hint):
            raise CommandFault(f"account {(await _one(desk, chosen)).id} {hint.removeprefix('it ')}")
        case UserIsDeleted():
            raise CommandFault(f"account {(await _one(desk, chosen)).id} is deleted")
    refused(found, chosen.to or chosen.name)


async def _suspended(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """A running server closes its sockets within seconds."""
    return await _changed(desk, chosen, await desk.suspend(local_operator(), chosen.name))


async def _resumed(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    return await _changed(desk, chosen, await desk.resume(local_operator(), chosen.name))


async def _deleted(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """A running server ends its sockets and memberships within seconds, another at its start."""
    return await _changed(desk, chosen, await desk.delete(local_operator(), chosen.name))


async def _restored(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    return await _changed(desk, chosen, await desk.restore(local_operator(), chosen.name))


async def _renamed(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    return await _changed(desk, chosen, await desk.rename(local_operator(), chosen.name, chosen.to))


async def _approved(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """Lets it in, or with --reject deletes it for good; a running server mails its person, or erases it, within a minute."""
    found = await desk.approve(local_operator(), chosen.name, rejects=chosen.reject)
    if isinstance(found, AccountUnchanged):
        raise CommandFault(f"account {(await _one(desk, chosen)).id} does not wait")
    return await _changed(desk, chosen, found)


async def _revoked(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """Ends all of its sessions and tokens, or one; a running server closes their sockets within seconds."""
    session = None if chosen.session is None else SessionId(parse_id(chosen.session) or 0)
    count = await desk.revoke(local_operator(), chosen.name, session)
    if isinstance(count, SessionNotFound):
        raise CommandFault(f"account {(await _one(desk, chosen)).id} has no session {chosen.session}")
    if isinstance(count, Refusal):
        raise CommandFault("no such account")
    return Told((f"{count} {'session' if count == 1 else 'sessions'} ended",), {"ended": count})


async def _reset_link(desk: UserDesk, chosen: argparse.Namespace) -> Told:
    """A link that needs no mail; whoever opens it sets the account's password."""
    life = Duration(HOUR)
    if chosen.expires is not None:
        life = read_life(chosen.expires, Duration(MINUTE), LONGEST_LINK)
    made = await desk.reset_link(local_operator(), chosen.name, life)
    if isinstance(made, PasswordAtSource):
        number = (await _one(desk, chosen)).id
        raise CommandFault(f"the password of account {number} is the data source's: change it there")
    if isinstance(made, Refusal):
        return await _changed(desk, chosen, made)
    until = iso_seconds(made.expires_at)
    lines = (made.link, f"sets the password of {made.username}, once, until {until}")
    hint = (
        ("open it below the server's address; server.public_url is not set",)
        if made.link.startswith("/")
        else ()
    )
    return Told((*lines, *hint), {"link": made.link, "username": made.username, "expiresAt": until})


ACTIONS: Mapping[str, UserAction] = {
    "list": _listed,
    "show": _shown,
    "sessions": _sessions,
    "revoke": _revoked,
    "rename": _renamed,
    "suspend": _suspended,
    "resume": _resumed,
    "delete": _deleted,
    "restore": _restored,
    "reset-link": _reset_link,
    "waiting": _waiting,
    "approve": _approved,
}
