"""`regserver room list|show|remove-post`: rooms and their members, and a post that was reported. Nobody reads posts by it.

Putting members out and closing rooms is the server's own work, since its sockets have to hear of it: /admin does that.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping

from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import open_store
from regserver.cli.told import Told, tell
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import PostNotFound, Refusal, RoomNotFound
from regserver.domain.room import PostId, Room, RoomId, parse_id
from regserver.service.operator.room import RoomDesk

MAX_LISTED = 10_000
PAGE = 500
RoomAction = Callable[[RoomDesk, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="list: all rooms; show, members: one with its members; remove-post: take the content of one post away, for good",
    )
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="of a room, or of the post to remove")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    if (chosen.number is None) is not (chosen.action == "list"):
        chosen.misused("list: no NUMBER" if chosen.number else f"{chosen.action}: expected NUMBER")
    desk = ACTIONS[chosen.action]
    tell(chosen, open_store(chosen, lambda store, _: desk(RoomDesk(operator_unit(store)), chosen)))


async def _list(desk: RoomDesk, _: argparse.Namespace) -> Told:
    """In pages, so that no unit of work reads for long."""
    found: list[Room] = []
    while len(found) < MAX_LISTED:
        page = await desk.list(local_operator(), found[-1].id if found else RoomId(0), PAGE)
        if isinstance(page, Refusal):
            refused(page, "rooms")
        found += page
        if len(page) < PAGE:
            break
    return Told(tuple(map(_line, found)) or ("no rooms",), [_value(room) for room in found])


async def _show(desk: RoomDesk, chosen: argparse.Namespace) -> Told:
    found = await desk.show(local_operator(), RoomId(parse_id(chosen.number) or 0))
    if isinstance(found, RoomNotFound):
        raise CommandFault(f"there is no room {chosen.number}")
    if isinstance(found, Refusal):
        refused(found, "rooms")
    members = [{"userId": each.account, "username": each.username} for each in found.members]
    lines = (_line(found.room), *(f"{each.account:8}  {each.username}" for each in found.members))
    return Told(lines, {**_value(found.room), "members": members})


async def _remove_post(desk: RoomDesk, chosen: argparse.Namespace) -> Told:
    outcome = await desk.remove_post(local_operator(), PostId(parse_id(chosen.number) or 0))
    if isinstance(outcome, PostNotFound):
        raise CommandFault(f"there is no post {chosen.number}")
    if outcome is not None:
        refused(outcome, "posts")
    return Told((f"the content of post {chosen.number} is gone",), {"removed": int(chosen.number)})


ACTIONS: Mapping[str, RoomAction] = {
    "list": _list,
    "show": _show,
    "members": _show,
    "remove-post": _remove_post,
}


def _value(room: Room) -> dict[str, object]:
    times = {"createdAt": iso_seconds(room.created_at), "updatedAt": iso_seconds(room.updated_at)}
    return {"number": room.id, "name": room.name, "memberCount": room.member_count, **times}


def _line(room: Room) -> str:
    members = f"{room.member_count} {'member' if room.member_count == 1 else 'members'}"
    return f"{room.id:8}  changed {iso_seconds(room.updated_at)}  {members:12}  {room.name or '-'}"
