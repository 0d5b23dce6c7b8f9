"""`regserver limit list|lift`: who has reached a limit, and letting them go on."""

import argparse
from functools import partial
from typing import Any

from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.server_call import require_server
from regserver.cli.store import open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import AccountNotFound, Refusal
from regserver.ports.store import Store
from regserver.service.operator.limit import GuessesCounted, LimitDesk


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("list", "lift"),
        help="list: the rate limits of the running server, and who has reached one; with --user, how many wrong secrets in a row"
        " were tried at an account; lift: let CLIENT, or the account of --user, go on at once",
    )
    parser.add_argument("client", metavar="CLIENT", nargs="?", help="lift: an IPv4 or IPv6 address")
    parser.add_argument("--user", metavar="NAME", help="user name, e-mail address, number or userId")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    named = (chosen.client is not None) + (chosen.user is not None)
    if chosen.action == "lift" and named != 1:
        chosen.misused("lift: expected CLIENT or --user NAME")
    if chosen.action == "list" and chosen.client is not None:
        chosen.misused("list: no CLIENT")
    if chosen.user is not None:
        act = _guesses if chosen.action == "list" else _forget
        tell(chosen, open_store(chosen, partial(act, chosen)))
    elif chosen.action == "list":
        answer = require_server(chosen, "GET", "/admin/limits")
        if answer.status != 200:
            answer.refused("limits")
        tell(chosen, Told(_limit_lines(answer.value), answer.value))
    else:
        answer = require_server(chosen, "POST", "/admin/limits/lift", {"client": chosen.client})
        if answer.status != 200:
            answer.refused(chosen.client)
        tell(chosen, Told((f"{chosen.client} may go on",), answer.value))


def _limit_lines(found: dict[str, Any]) -> tuple[str, ...]:
    rates = (f"{each['name']:12} {each['requests']} in {each['seconds']:g} s" for each in found["limits"])
    held = (
        f"{each['client']} has reached {each['limit']}, for {each['seconds']:g} s" for each in found["held"]
    )
    return (*rates, *held) or ("there are no limits",)


async def _guesses(chosen: argparse.Namespace, store: Store, _: StorePlace) -> Told:
    found = await LimitDesk(operator_unit(store)).guesses(local_operator(), chosen.user)
    if isinstance(found, AccountNotFound):
        raise CommandFault("no such account")
    if isinstance(found, Refusal):
        refused(found, chosen.user)
    return Told(
        tuple(map(_guess_line, found)) or ("no wrong secrets",), [_guess_value(each) for each in found]
    )


async def _forget(chosen: argparse.Namespace, store: Store, _: StorePlace) -> Told:
    count = await LimitDesk(operator_unit(store)).forget_guesses(local_operator(), chosen.user)
    if isinstance(count, AccountNotFound):
        raise CommandFault("no such account")
    if isinstance(count, Refusal):
        refused(count, chosen.user)
    return Told((f"{count} {'counter' if count == 1 else 'counters'} reset",), {"count": count})


def _guess_line(each: GuessesCounted) -> str:
    waits = f", the next one waits {-(-each.wait // 1000)} s" if each.wait else ""
    return f"{each.count} wrong in a row, the last at {iso_seconds(each.last_at)}{waits}"


def _guess_value(each: GuessesCounted) -> dict[str, object]:
    return {"failures": each.count, "lastAt": iso_seconds(each.last_at), "seconds": -(-each.wait // 1000)}
