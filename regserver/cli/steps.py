"""`regserver steps show|unlock CONTACT`: shows one contact's registration by steps, or lets it start again."""

import argparse
from collections.abc import Iterator

import msgspec

from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemClock
from regserver.app.base import build_pepper
from regserver.cli import MISUSED, CommandFault
from regserver.cli.operator import local_operator
from regserver.cli.store import open_store
from regserver.config import StorePlace
from regserver.domain.contact import Contact, parse_email, parse_identity, parse_phone
from regserver.domain.instant import Instant, iso_millis
from regserver.domain.steps_machine import AmbiguousIdentity
from regserver.ports.store import Store
from regserver.service.steps_admin import RegistrationOverview, StepsAdmin
from regserver.service.steps_policy import StepsPolicy


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("show", "unlock"),
        help="show: print the registration's state and how much of its daily caps is spent; unlock: let the contact start again at once",
    )
    parser.add_argument(
        "contact", metavar="CONTACT", help="phone number or e-mail address, as the person gives it"
    )
    parser.add_argument(
        "--identity", action="store_true", help="CONTACT is an identity, not a phone or address"
    )
    parser.add_argument("--provider", help="the provider of the identity")


def run(chosen: argparse.Namespace) -> None:
    """Shows or unlocks the registration."""
    contact = _contact(chosen)
    if contact is None:
        raise CommandFault("expected a phone number such as +380000000000, or an e-mail address", MISUSED)

    async def work(store: Store, place: StorePlace) -> RegistrationOverview | AmbiguousIdentity:
        pepper = build_pepper(place.settings, read_server_key(place.key))
        policy = msgspec.convert(place.settings.steps, StepsPolicy, from_attributes=True)
        admin = StepsAdmin(store, SystemClock(), pepper, policy, f"command {local_operator().name}")
        return await (admin.show(contact) if chosen.action == "show" else admin.unlock(contact))

    outcome = open_store(chosen, work)
    if isinstance(outcome, AmbiguousIdentity):
        raise CommandFault("several providers know this identity: name one with --provider")
    print("\n".join(_lines(outcome)))


def _contact(chosen: argparse.Namespace) -> Contact | None:
    if chosen.identity:
        return parse_identity(chosen.contact, chosen.provider)
    return parse_email(chosen.contact) if "@" in chosen.contact else parse_phone(chosen.contact)


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
