"""`regserver room list|show|members|remove-post|remove-member|close`: rooms and their members, and a post that was reported.

Nobody reads posts by it. Sockets have to hear of who leaves, so the running server is asked to put members out and to close
rooms; where none runs, the command does it by itself.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.server_call import call_server
from regserver.cli.store import existing_place, open_store
from regserver.cli.told import Told, tell
from regserver.config import SqlitePlace
from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import PostNotFound, Refusal, RoomNotFound
from regserver.domain.room import PostId, Room, RoomId, parse_id
from regserver.service.operator.room import RoomDesk
from regserver.store.sqlite import held

MAX_LISTED = 10_000
PAGE = 500
RoomAction = Callable[[RoomDesk, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="list: all rooms; show, members: one with its members; remove-post: take the content of one post away, for good;"
        " remove-member: put a member out of a room; close: let all members leave, and remove the room with its posts",
    )
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="of a room, or of the post to remove")
    parser.add_argument(
        "member",
        metavar="USERID",
        nargs="?",
        help="remove-member: the number of the account, as `show` lists it",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    if (chosen.number is None) is not (chosen.action == "list"):
        chosen.misused("list: no NUMBER" if chosen.number else f"{chosen.action}: expected NUMBER")
    if (chosen.member is None) is (chosen.action == "remove-member"):
        chosen.misused("remove-member: expected NUMBER and USERID" if chosen.member is None else "no USERID")
    if chosen.action in TOLD_TO_SOCKETS and (told := _by_server(chosen)) is not None:
        tell(chosen, told)
        return
    act = ACTIONS[chosen.action]
    with _alone(chosen) if chosen.action in TOLD_TO_SOCKETS else nullcontext():
        tell(chosen, open_store(chosen, lambda store, _: act(RoomDesk(operator_unit(store)), chosen)))


def _alone(chosen: argparse.Namespace) -> AbstractContextManager[object]:
    """Keeps a server from starting meanwhile, and names one that runs; with PostgreSQL, all servers follow the log."""
    place = existing_place(chosen)
    return held(place.database) if isinstance(place, SqlitePlace) else nullcontext()


def _by_server(chosen: argparse.Namespace) -> Told | None:
    """What the running server has done; None where none answers."""
    room = parse_id(chosen.number) or 0
    member = "" if chosen.member is None else f"/members/{parse_id(chosen.member) or 0}"
    answer = call_server(chosen, "DELETE", f"/admin/rooms/{room}{member}")
    if answer is None:
        return None
    if answer.status != 204:
        answer.refused(f"room {chosen.number}")
    return _gone(chosen)


def _gone(chosen: argparse.Namespace) -> Told:
    if chosen.action == "close":
        return Told((f"room {chosen.number} is closed",), {"closed": int(chosen.number)})
    line = f"account {chosen.member} is no longer in room {chosen.number}"
    return Told((line,), {"room": int(chosen.number), "removed": int(chosen.member)})


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


async def _remove_member(desk: RoomDesk, chosen: argparse.Namespace) -> Told:
    room, member = RoomId(parse_id(chosen.number) or 0), AccountId(parse_id(chosen.member) or 0)
    if refusal := await desk.remove_member(local_operator(), room, member):
        refused(refusal, f"room {chosen.number}")
    return _gone(chosen)


async def _close(desk: RoomDesk, chosen: argparse.Namespace) -> Told:
    if refusal := await desk.close(local_operator(), RoomId(parse_id(chosen.number) or 0)):
        refused(refusal, f"room {chosen.number}")
    return _gone(chosen)


ACTIONS: Mapping[str, RoomAction] = {
    "list": _list,
    "show": _show,
    "members": _show,
    "remove-post": _remove_post,
    "remove-member": _remove_member,
    "close": _close,
}
TOLD_TO_SOCKETS = frozenset({"remove-member", "close"})


def _value(room: Room) -> dict[str, object]:
    times = {"createdAt": iso_seconds(room.created_at), "updatedAt": iso_seconds(room.updated_at)}
    return {"number": room.id, "name": room.name, "memberCount": room.member_count, **times}


def _line(room: Room) -> str:
    members = f"{room.member_count} {'member' if room.member_count == 1 else 'members'}"
    return f"{room.id:8}  changed {iso_seconds(room.updated_at)}  {members:12}  {room.name or '-'}"
