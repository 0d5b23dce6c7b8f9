"""Rooms at the page: listed, one with its members; a post that was reported is removed by its number."""

from regserver.domain.account import AccountId
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.domain.room import Member, PostId, Room, RoomId, parse_id
from regserver.service.operator.room import RoomDesk
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import PAGE_ROWS, more_link, user_address, when
from regserver.web.operator.view import (
    Button,
    ButtonsBlock,
    FactsBlock,
    ListRow,
    OperatorView,
    PageLink,
    RowsBlock,
)

MOST_MEMBERS = 500
"""Shown of a room."""


class RoomView:
    """A client of the use cases of rooms."""

    def __init__(self, rooms: RoomDesk) -> None:
        self._rooms = rooms

    def acts(self) -> tuple[PageAct, ...]:
        """What can be done with rooms."""
        change, member = Operation.CHANGE_ROOMS, ("username_shown", "room", "member")
        return (
            PageAct("remove_post", change, self._remove_post, ("post",), is_danger=True, back=_back),
            PageAct("close_room", change, self._close, ("room",), asks=True, is_danger=True, back=_back),
            PageAct(
                "remove_member", change, self._remove_member, member, asks=True, is_danger=True, back=_back
            ),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """All rooms, in the order of their numbers."""
        t, after = asked.t, RoomId(parse_id(asked.query("after")) or 0)
        found = await self._rooms.list(asked.visit.who, after, PAGE_ROWS + 1)
        if isinstance(found, Refusal):
            return found
        shown = found[:PAGE_ROWS]
        more = more_link("rooms", t, after=shown[-1].id) if len(found) > PAGE_ROWS else None
        rows = RowsBlock("", tuple(_row(room, asked) for room in shown), t.word["nothing"], more)
        remove = ButtonsBlock("", (acts["remove_post"].button(t),))
        may = asked.visit.may(Operation.CHANGE_ROOMS)
        blocks = (remove, rows) if may else (rows,)
        return OperatorView(t.section["rooms"], "rooms", blocks, lead=t.word["postsHint"])

    async def one(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """One room with its first members."""
        t, number = asked.t, RoomId(parse_id(asked.request.params["room"]) or 0)
        found = await self._rooms.show(asked.visit.who, number)
        if isinstance(found, Refusal):
            return found
        room, buttons = found.room, tuple[Button, ...]()
        if asked.visit.may(Operation.CHANGE_ROOMS):
            buttons = (acts["close_room"].button(t, _title(room, asked), room=str(room.id)),)
        facts = (
            (t.fact["number"], str(room.id)),
            (t.fact["members"], str(room.member_count)),
            (t.fact["created"], when(room.created_at, t)),
            (t.fact["changed"], when(room.updated_at, t)),
        )
        members = tuple(self._member(asked, acts, room, each) for each in found.members[:MOST_MEMBERS])
        blocks = (
            FactsBlock("", facts, buttons),
            RowsBlock(t.word["members"], members, t.word["nothing"]),
        )
        back = PageLink("rooms", t.section["rooms"])
        return OperatorView(_title(room, asked), "rooms", blocks, back=back)

    def _member(self, asked: Asked, acts: ActTable, room: Room, member: Member) -> ListRow:
        buttons = tuple[Button, ...]()
        if asked.visit.may(Operation.CHANGE_ROOMS):
            values = {
                "username_shown": member.username,
                "room": str(room.id),
                "member": str(member.account),
            }
            buttons = (acts["remove_member"].button(asked.t, member.username, **values),)
        return ListRow(member.username, user_address(member.username), buttons=buttons)

    # --- acts
    async def _remove_post(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        post = PostId(parse_id(values["post"]) or 0)
        return await self._rooms.remove_post(who, post) or Done("rooms", str(post))

    async def _close(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        room = RoomId(parse_id(values["room"]) or 0)
        return await self._rooms.close(who, room) or Done("rooms", str(room))

    async def _remove_member(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        room, member = (
            RoomId(parse_id(values["room"]) or 0),
            AccountId(parse_id(values["member"]) or 0),
        )
        refusal = await self._rooms.remove_member(who, room, member)
        if refusal is not None:
            return refusal
        left = await self._rooms.show(who, room)  # the room goes with its last member
        return Done("rooms" if isinstance(left, Refusal) else f"rooms/{room}", values["username_shown"])


def _title(room: Room, asked: Asked) -> str:
    return room.name or asked.t.word["unnamed"]


def _row(room: Room, asked: Asked) -> ListRow:
    t = asked.t
    facts = (
        f"{t.fact['number']} {room.id}",
        f"{t.fact['members']} {room.member_count}",
        f"{t.fact['changed']} {when(room.updated_at, t)}",
    )
    return ListRow(_title(room, asked), f"rooms/{room.id}", facts)


def _back(values: Values) -> str:
    return f"rooms/{values['room']}" if parse_id(values.get("room", "")) else "rooms"
