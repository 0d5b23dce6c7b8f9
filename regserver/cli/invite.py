"""`regserver invite create|list|revoke`: invitations to sign up, also while the server runs."""

import argparse
from collections.abc import Awaitable, Callable, Mapping

from regserver.adapters.derived_key import build_pepper
from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemRandomness
from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import open_store
from regserver.cli.told import Told, read_life, tell
from regserver.config import StorePlace
from regserver.domain.contact import parse_email
from regserver.domain.instant import iso_seconds
from regserver.domain.invitation import (
    LIFE,
    LONGEST_LIFE,
    MAX_NOTE_LENGTH,
    MOST_USES,
    SHORTEST_LIFE,
    InvitationId,
    NewInvitation,
    SignUpInvitation,
    is_note,
)
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.ports.store import Store
from regserver.service.operator.invitation import InvitationDesk, InvitationWish

MAX_LISTED = 10_000
InviteAction = Callable[[Store, StorePlace, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="create: print a new invitation, which is shown this once; list: show those that have not expired;"
        " revoke: end one, which leaves the accounts that it has made",
    )
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="revoke: as `list` shows it")
    parser.add_argument("--uses", metavar="N", type=int, help="create: accounts that it makes (1 without it)")
    parser.add_argument(
        "--expires", metavar="TIME", help="create: how long it is good, from 1m to 366d (7d without it)"
    )
    parser.add_argument("--note", metavar="TEXT", help="create: for your own list; nobody else sees it")
    parser.add_argument(
        "--email", metavar="ADDRESS", help="create: good for whoever reads mail to this address alone"
    )
    parser.add_argument("--url", action="store_true", help="create: print the link alone")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    for name in ("uses", "expires", "note", "email", "url"):
        if getattr(chosen, name) and chosen.action != "create":
            chosen.misused(f"--{name}: only with create")
    if (chosen.number is None) is (chosen.action == "revoke"):
        chosen.misused(
            "revoke: expected a number of `invite list`" if chosen.number is None else "unexpected NUMBER"
        )
    if chosen.url and chosen.json:
        chosen.misused("--url or --json, not both")
    tell(chosen, open_store(chosen, lambda store, place: ACTIONS[chosen.action](store, place, chosen)))


async def _create(store: Store, place: StorePlace, chosen: argparse.Namespace) -> Told:
    if chosen.email is not None and parse_email(chosen.email) is None:
        raise CommandFault("--email: expected an e-mail address")
    uses, note = 1 if chosen.uses is None else chosen.uses, chosen.note or ""
    if not 1 <= uses <= MOST_USES:
        raise CommandFault(f"--uses: from 1 to {MOST_USES}")
    if not is_note(note):
        raise CommandFault(f"--note: one line of at most {MAX_NOTE_LENGTH} characters")
    life = LIFE if chosen.expires is None else read_life(chosen.expires, SHORTEST_LIFE, LONGEST_LIFE)
    base = place.settings.server.public_url.rstrip("/")
    if chosen.url and not base:
        raise CommandFault("--url: server.public_url is not set, and the link begins with it")
    desk = _desk(store, place)
    made = await desk.create(local_operator(), InvitationWish(uses, note, chosen.email, life))
    if isinstance(made, Refusal):
        refused(made, "--email")
    link = f"{base}/#invite={made.secret}"
    return _created(made.id, made.secret, link, made.invitation, url=chosen.url)


def _created(number: InvitationId, secret: str, link: str, new: NewInvitation, *, url: bool) -> Told:
    good = f"good for {_count(new.uses)}" + (f", for {new.mask}" if new.mask else "")
    lines = (link, f"invitation {number}: {secret}", f"{good}, until {iso_seconds(new.expires_at)}")
    hint = (
        ()
        if not link.startswith("/")
        else ("open it below the server's address; server.public_url is not set",)
    )
    value = {"number": number, "invitation": secret, "link": link, **_fields(new)}
    return Told((link,) if url else (*lines, *hint), value)


def _desk(store: Store, place: StorePlace) -> InvitationDesk:
    pepper = build_pepper(place.settings, read_server_key(place.key))
    return InvitationDesk(operator_unit(store), SystemRandomness(), pepper)


async def _list(store: Store, place: StorePlace, chosen: argparse.Namespace) -> Told:
    found = await _desk(store, place).list(local_operator())
    if isinstance(found, Refusal):
        refused(found, "invitations")
    lines = tuple(map(_line, found)) or ("no invitations",)
    return Told(lines, [{"number": each.id, **_fields(each), "used": each.used} for each in found])


async def _revoke(store: Store, place: StorePlace, chosen: argparse.Namespace) -> Told:
    number = InvitationId(parse_id(chosen.number) or 0)
    if await _desk(store, place).revoke(local_operator(), number) is not None:
        raise CommandFault(f"there is no invitation {chosen.number}")
    return Told((f"invitation {number} is revoked",), {"revoked": number})


ACTIONS: Mapping[str, InviteAction] = {"create": _create, "list": _list, "revoke": _revoke}


# --- how it is printed
def _fields(new: NewInvitation) -> dict[str, object]:
    times = {"createdAt": iso_seconds(new.created_at), "expiresAt": iso_seconds(new.expires_at)}
    return {"uses": new.uses, "note": new.note, "email": new.mask, **times}


def _line(each: SignUpInvitation) -> str:
    state = f"{each.used} of {each.uses} used"
    whom = each.mask or "anybody"
    return f"{each.id:6}  {state:16}  until {iso_seconds(each.expires_at)}  {whom}  {each.note}".rstrip()


def _count(uses: int) -> str:
    return "one account" if uses == 1 else f"{uses} accounts"
