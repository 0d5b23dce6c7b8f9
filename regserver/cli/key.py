"""`regserver key create|list|revoke|link`: the keys with which operators call /admin and enter their page."""

import argparse
from collections.abc import Awaitable, Callable, Mapping

from regserver.adapters.system import SystemRandomness
from regserver.cli import configuration
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import StoreClock, open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.domain.instant import iso_seconds
from regserver.domain.operator_key import ROLES, StoredKey
from regserver.domain.outcome import Refusal
from regserver.ports.store import Store
from regserver.service.operator.entry import EntryDesk
from regserver.service.operator.key import KeyDesk


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=ACTIONS,
        help="create: print a new key, which is shown this once; list: show all keys without their secrets; revoke: end a"
        " key and its sessions at the page, at once; link: print a one-time link to the operator's page, which makes a key for admin",
    )
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="create, revoke: whose key it is, or what for"
    )
    parser.add_argument(
        "--role",
        choices=ROLES,
        help="create: admin: everything; support: help people, rooms and mail; publish: post to rooms for a service; read: see all"
        " but keys",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    if (chosen.name is None) is not (chosen.action in NAMELESS):
        chosen.misused("expected NAME" if chosen.name is None else f"{chosen.action}: no NAME")
    if (chosen.role is None) is (chosen.action == "create"):
        chosen.misused("create: expected --role" if chosen.role is None else "--role: only with create")
    action = _link if chosen.action == "link" else _with_keys
    tell(chosen, open_store(chosen, lambda store, place: action(store, place, chosen)))


async def _with_keys(store: Store, _: StorePlace, chosen: argparse.Namespace) -> Told:
    desk = KeyDesk(operator_unit(store), SystemRandomness())
    return await KEY_ACTIONS[chosen.action](desk, chosen)


async def _link(store: Store, place: StorePlace, chosen: argparse.Namespace) -> Told:
    made = await EntryDesk(store, StoreClock(store), SystemRandomness(), None).make_link(local_operator())
    if isinstance(made, Refusal):
        refused(made, "link")
    loaded = configuration(chosen)
    bind = next((each for each in loaded.binds if not each.startswith("unix:")), "")
    scheme = "https" if loaded.settings.server.tls_cert else "http"
    near = f"{scheme}://{bind.partition('?')[0]}" if bind else ""
    link = made.address(loaded.settings.server.public_url or near)
    until = iso_seconds(made.expires_at)
    return Told(
        (link, f"it works once, until {until}; the link before it has ended"),
        {"link": link, "expiresAt": until},
    )


async def _create(desk: KeyDesk, chosen: argparse.Namespace) -> Told:
    made = await desk.create(local_operator(), chosen.name, chosen.role)
    if isinstance(made, Refusal):
        refused(made, chosen.name)
    value = {"name": made.name, "role": made.role, "key": made.secret}
    return Told((made.secret, f"the key {made.name}, for {made.role}; it is shown this once"), value)


async def _list(desk: KeyDesk, _: argparse.Namespace) -> Told:
    keys = await desk.list(local_operator())
    if isinstance(keys, Refusal):
        refused(keys, "keys")
    return Told(tuple(map(_line, keys)) or ("no keys",), [_value(key) for key in keys])


async def _revoke(desk: KeyDesk, chosen: argparse.Namespace) -> Told:
    if refusal := await desk.revoke(local_operator(), chosen.name):
        refused(refusal, chosen.name)
    return Told((f"the key {chosen.name} is revoked",), {"revoked": chosen.name})


KEY_ACTIONS: Mapping[str, Callable[[KeyDesk, argparse.Namespace], Awaitable[Told]]] = {
    "create": _create,
    "list": _list,
    "revoke": _revoke,
}
ACTIONS = (*KEY_ACTIONS, "link")
NAMELESS = {"list", "link"}


def _value(key: StoredKey) -> dict[str, object]:
    return {"name": key.name, "role": key.role, "createdAt": iso_seconds(key.created_at)}


def _line(key: StoredKey) -> str:
    return f"{key.name:24}  {key.role:8}  since {iso_seconds(key.created_at)}"
