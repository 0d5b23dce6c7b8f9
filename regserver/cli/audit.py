"""`regserver audit list|verify`: what was done by whom, and whether the record of it is whole."""

import argparse

from regserver.adapters.server_key import read_server_key
from regserver.cli import FAILED, MISUSED, CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.domain.account import AccountId
from regserver.domain.audit import AuditRow
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.ports.audit_table import AuditFilter
from regserver.ports.store import Store
from regserver.service.operator.audit import AuditBroken, AuditDesk, AuditWhole
from regserver.store_opening import audit_chain

MOST_LISTED = 10_000


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("list", "verify"),
        help="list: the newest rows first; verify: every hash of the chain, from the first row that is kept; print the last one",
    )
    parser.add_argument("--account", metavar="NUMBER", help="list: of one account, as `user show` numbers it")
    parser.add_argument("--action", metavar="ACTION", dest="what", help="list: of one kind, such as sign_in")
    parser.add_argument("--before", metavar="NUMBER", help="list: the rows before this one")
    parser.add_argument("--limit", metavar="COUNT", default="100", help="list: at most so many (100)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int | None:
    """Does what the action says, and prints what came of it."""
    if chosen.action == "verify":
        found = open_store(chosen, _verify)
        tell(chosen, _verified(found))
        return FAILED if isinstance(found, AuditBroken) else None
    wanted = AuditFilter(
        before=_number(chosen.before, "--before"),
        account=None if chosen.account is None else AccountId(_number(chosen.account, "--account") or 0),
        action=chosen.what,
    )
    limit = min(_number(chosen.limit, "--limit") or 1, MOST_LISTED)

    async def listed(store: Store, place: StorePlace) -> tuple[AuditRow, ...]:
        rows = await _desk(store, place).newest(local_operator(), wanted, limit)
        if isinstance(rows, Refusal):
            refused(rows, "the audit")
        return rows

    rows = open_store(chosen, listed)
    tell(chosen, Told(tuple(map(_line, rows)) or ("no rows",), [row_value(row) for row in rows]))
    return None


def _number(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    number = parse_id(text)
    if number is None:
        raise CommandFault(f"{option}: expected a number from 1 on", MISUSED)
    return number


def _desk(store: Store, place: StorePlace) -> AuditDesk:
    return AuditDesk(operator_unit(store), audit_chain(read_server_key(place.key)))


async def _verify(store: Store, place: StorePlace) -> AuditWhole | AuditBroken:
    found = await _desk(store, place).verify(local_operator())
    if isinstance(found, Refusal):
        refused(found, "the audit")
    return found


def _verified(found: AuditWhole | AuditBroken) -> Told:
    if isinstance(found, AuditBroken):
        return Told((found.detail,), {"whole": False, "detail": found.detail})
    before = f", {found.trimmed} before them trimmed" if found.trimmed else ""
    line = f"{found.rows} rows, all in order{before}; last hash {found.head}"
    return Told((line,), {"whole": True, "rows": found.rows, "trimmed": found.trimmed, "head": found.head})


def row_value(row: AuditRow) -> dict[str, object]:
    """A row without its hashes, for --json."""
    times = {"number": row.number, "at": iso_seconds(row.at)}
    what = {"actor": row.actor, "action": row.action, "outcome": row.outcome}
    return {**times, **what, "account": row.account_id, "subject": row.subject, "network": row.network}


def _line(row: AuditRow) -> str:
    whom = f"account {row.account_id}" if row.account_id is not None else ""
    what = "  ".join(filter(None, (whom, row.subject, row.network)))
    return f"{row.number:8}  {iso_seconds(row.at)}  {row.actor:16}  {row.action:18}  {row.outcome:8}  {what}".rstrip()
