"""`regserver steps list|show|unlock`: registrations by steps, one contact's, and letting it start again."""

import argparse
import re
from collections.abc import Iterator

import msgspec

from regserver.adapters.derived_key import build_pepper
from regserver.adapters.server_key import read_server_key
from regserver.cli import MISUSED, CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import StoreClock, open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.domain.contact import Contact, ContactKey, parse_email, parse_identity, parse_phone
from regserver.domain.instant import Instant, iso_millis, iso_seconds
from regserver.domain.operator_outcome import SeveralProviders
from regserver.domain.outcome import Refusal
from regserver.domain.steps_machine import Registration
from regserver.ports.store import Store
from regserver.service.operator.steps import RegistrationOverview, StepsDesk
from regserver.service.registration_lookup import RegistrationLookup
from regserver.service.steps_policy import StepsPolicy

MAX_LISTED = 10_000
PAGE = 500
_ID = re.compile("[0-9a-f]{64}", re.ASCII)


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("list", "show", "unlock"),
        help="list: all registrations, their contacts masked; show: print one's state and how much of its daily caps is spent;"
        " unlock: end an unfinished one, and let the contact start again at once",
    )
    parser.add_argument(
        "contact",
        metavar="CONTACT",
        nargs="?",
        help="phone number or e-mail address, as the person gives it, or an id of `list`",
    )
    parser.add_argument(
        "--identity", action="store_true", help="CONTACT is an identity, not a phone or address"
    )
    parser.add_argument("--provider", help="the provider of the identity")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Lists, shows or unlocks."""
    if (chosen.contact is None) is not (chosen.action == "list"):
        chosen.misused("list: no CONTACT" if chosen.contact else f"{chosen.action}: expected CONTACT")
    if chosen.action == "list":
        tell(chosen, open_store(chosen, _listed))
        return
    sought = _sought(chosen)
    if sought is None:
        raise CommandFault("expected a phone number such as +380000000000, or an e-mail address", MISUSED)

    async def work(store: Store, place: StorePlace) -> Told:
        desk, who = _desk(store, place), local_operator()
        found: RegistrationOverview | Refusal
        if isinstance(sought, Contact):
            found = await (desk.show if chosen.action == "show" else desk.unlock)(who, sought)
        else:
            found = await (desk.show_one if chosen.action == "show" else desk.unlock_one)(who, sought)
        if isinstance(found, SeveralProviders):
            raise CommandFault("several providers know this identity: name one with --provider")
        if isinstance(found, Refusal):
            refused(found, "registration")
        return Told(tuple(_lines(found)), _overview_value(found))

    tell(chosen, open_store(chosen, work))


def _desk(store: Store, place: StorePlace) -> StepsDesk:
    pepper = build_pepper(place.settings, read_server_key(place.key))
    policy = msgspec.convert(place.settings.steps, StepsPolicy, from_attributes=True)
    lookup = RegistrationLookup(store, StoreClock(store), pepper, policy)
    return StepsDesk(operator_unit(store), lookup, pepper, policy)


def _sought(chosen: argparse.Namespace) -> Contact | ContactKey | None:
    if chosen.identity:
        return parse_identity(chosen.contact, chosen.provider)
    if _ID.fullmatch(chosen.contact):
        return ContactKey(bytes.fromhex(chosen.contact))
    return parse_email(chosen.contact) if "@" in chosen.contact else parse_phone(chosen.contact)


async def _listed(store: Store, place: StorePlace) -> Told:
    """In pages, so that no unit of work reads for long."""
    desk, found = _desk(store, place), list[Registration]()
    while len(found) < MAX_LISTED:
        after = found[-1].contact if found else ContactKey(b"")
        page = await desk.list(local_operator(), after, PAGE)
        if isinstance(page, Refusal):
            refused(page, "registrations")
        found += page
        if len(page) < PAGE:
            break
    return Told(tuple(map(_line, found)) or ("no registrations",), [_value(each) for each in found])


def _line(found: Registration) -> str:
    name = found.username or "-"
    return (
        f"{found.contact.hex()}  {iso_seconds(found.updated_at)}  {found.state:14}  {found.mask:24}  {name}"
    )


def _value(found: Registration) -> dict[str, object]:
    until = found.code_expires_at if found.code is not None else None
    times = {"codeUntil": until, "retryAt": found.retry_at, "lapsesAt": found.lapses_at}
    return {
        "id": found.contact.hex(),
        "contact": found.mask,
        "kind": found.kind,
        "provider": found.provider,
        "state": found.state,
        "username": found.username,
        "ledgerUserId": found.user_id,
        "triesLeft": found.code_tries,
        "resends": found.resends,
        **{name: None if at is None else iso_seconds(at) for name, at in times.items()},
        "updatedAt": iso_seconds(found.updated_at),
    }


def _overview_value(found: RegistrationOverview) -> dict[str, object]:
    spent = {"codes": found.codes_spent, "tries": found.tries_spent, "otherTries": found.other_tries_spent}
    most = {
        "mostCodes": found.policy.daily_codes_per_contact,
        "mostTries": found.policy.daily_tries_per_contact,
    }
    return {"registration": _value(found.registration), **spent, **most}


def _lines(overview: RegistrationOverview) -> Iterator[str]:
    found, policy = overview.registration, overview.policy
    yield f"contact      {found.mask}" + (f" ({found.provider})" if found.provider else "")
    yield f"state        {found.state}"
    if found.username:
        yield f"username     {found.username}"
    if found.user_id:
        yield f"userId       {found.user_id}"
    if found.code is not None:
        tries = f"{found.code_tries} tries left, {found.other_tries} from other networks"
        yield f"code         valid until {_when(found.code_expires_at)}, {tries}"
        yield f"resends      {found.resends} of {policy.max_resends}, the next from {_when(found.retry_at)}"
    if found.token is not None:
        yield "token        required at every step"
    if found.lapses_at is not None:
        yield f"starts anew  {_when(found.lapses_at)}"
    yield f"today        {overview.codes_spent} of {policy.daily_codes_per_contact} codes, {overview.tries_spent} of {policy.daily_tries_per_contact} tries"
    if overview.other_tries_spent:
        yield f"elsewhere    {overview.other_tries_spent} of {policy.daily_tries_per_contact} tries, from other networks than the one that asked for the code"


def _when(instant: Instant | None) -> str:
    return "-" if instant is None else iso_millis(instant)
