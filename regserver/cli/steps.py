"""`regserver steps show|unlock CONTACT`: one person's registration by steps, for the operator who is asked about it."""

import argparse
from collections.abc import Iterator

import msgspec
import trio

from regserver.adapters.clock import SystemClock
from regserver.adapters.server_key import ServerKeyFault, load_server_key
from regserver.app import sqlite_path
from regserver.app.assemble_steps import steps_pepper
from regserver.cli import FINE, CommandFault, configuration
from regserver.config import Settings
from regserver.domain.contact import Contact, parse_email, parse_identity, parse_phone
from regserver.domain.instant import Instant, iso_millis
from regserver.domain.steps_machine import AmbiguousIdentity
from regserver.ports.store import StoreFault
from regserver.service.steps_admin import RegistrationOverview, StepsAdmin
from regserver.service.steps_code import StepsPolicy
from regserver.store.sqlite import open_sqlite


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("show", "unlock"),
        help="show: where the registration stands and what is spent; unlock: let the contact start again at once",
    )
    parser.add_argument(
        "contact", metavar="CONTACT", help="phone number or e-mail address, as the person gives it"
    )
    parser.add_argument(
        "--identity", action="store_true", help="CONTACT is an identity, not a phone or address"
    )
    parser.add_argument("--provider", help="of the identity")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    contact = _contact(chosen)
    if contact is None:
        raise CommandFault("expected a phone number such as +380000000000, or an e-mail address")
    settings = configuration(chosen).settings
    path = sqlite_path(settings)
    if not path.is_file():
        raise CommandFault(f"{path}: no such database")

    async def work() -> RegistrationOverview | AmbiguousIdentity:
        pepper = steps_pepper(settings, load_server_key(path.with_suffix(".key")))
        async with open_sqlite(path) as store:
            admin = StepsAdmin(store, SystemClock(), pepper, _policy(settings))
            return await (admin.show(contact) if chosen.action == "show" else admin.unlock(contact))

    try:
        outcome = trio.run(work)
    except (StoreFault, ServerKeyFault) as fault:
        raise CommandFault(str(fault)) from None
    if isinstance(outcome, AmbiguousIdentity):
        raise CommandFault("several providers know this identity: name one with --provider")
    print("\n".join(_lines(outcome)))
    return FINE


def _contact(chosen: argparse.Namespace) -> Contact | None:
    if chosen.identity:
        return parse_identity(chosen.contact, chosen.provider)
    return parse_email(chosen.contact) if "@" in chosen.contact else parse_phone(chosen.contact)


def _policy(settings: Settings) -> StepsPolicy:
    return msgspec.convert(settings.steps, StepsPolicy, from_attributes=True)


def _lines(overview: RegistrationOverview) -> Iterator[str]:
    found, policy = overview.registration, overview.policy
    yield f"contact      {found.mask}" + (f" ({found.provider})" if found.provider else "")
    yield f"state        {found.state}"
    if found.username:
        yield f"username     {found.username}"
    if found.user_id:
        yield f"userId       {found.user_id}"
    if found.code is not None:
        yield f"code         valid until {_when(found.code_expires_at)}, {found.code_tries} tries left"
        yield f"resends      {found.resends} of {policy.max_resends}, the next from {_when(found.retry_at)}"
    if found.token is not None:
        yield "token        demanded at every step"
    if found.lapses_at is not None:
        yield f"starts anew  {_when(found.lapses_at)}"
    yield f"today        {overview.codes_spent} of {policy.daily_codes_per_contact} codes, {overview.tries_spent} of {policy.daily_tries_per_contact} tries"


def _when(instant: Instant | None) -> str:
    return "-" if instant is None else iso_millis(instant)
