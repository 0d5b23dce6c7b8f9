"""How people get into rooms, on the wire: bodies of requests, with the functions that read or refuse them, and answers."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from regserver.domain import room as domain
from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadId, BadOtherUsers, BadRoomName, Refusal
from regserver.endpoint import Request
from regserver.ports.block_table import Block
from regserver.ports.offer_table import Offer
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import RoomIdField, RoomNameField, TimeField, UserIdField, UsernameField
from regserver.web.http.pipeline import RequestBody
from regserver.web.rooms.publish_wire import AsField, read_as


def camel_or_as(name: str) -> str:
    """`other_users` is otherUsers on the wire, and `as_`, a word of Python's without the line, is as."""
    return {"other_users": "otherUsers", "as_": "as"}.get(name, name)


class NewRoom(RequestBody, frozen=True, rename=camel_or_as):
    """A room to be created. Without a name it is called by its members' names."""

    name: RoomNameField | None = None
    other_users: Annotated[Sequence[UserIdField], Meta(description="Who is in it beside the creator.")] = ()
    as_: AsField = UNSET


class Invitation(RequestBody, frozen=True, rename=camel_or_as):
    """Who is brought in; at least one."""

    other_users: Sequence[UserIdField]
    as_: AsField = UNSET


class Answering(RequestBody, frozen=True):
    """The path says it all."""


def read_new_room(request: Request) -> NewRoom | Unreadable | BadOtherUsers | BadId | BadRoomName:
    """The body of /room/create; an empty one is a room without name and others."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    name = fields.get("name") or None  # an empty one is none
    if name is None or (isinstance(name, str) and domain.is_room_name(name)):
        return NewRoom(name, others, read_as(fields))
    return BadRoomName()


def read_invitation(request: Request) -> Invitation | Unreadable | BadOtherUsers | BadId:
    """The body of /room/invite."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    return Invitation(others, read_as(fields)) if others else BadOtherUsers()


def read_answer(_: Request) -> Answering:
    """Nothing: nobody looks at the body."""
    return Answering()


def _other_users(value: object) -> Sequence[AccountId] | BadOtherUsers | BadId:
    """`otherUsers`: absent is nobody; a list of ids; anything else is refused."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return BadOtherUsers()
    return [AccountId(item) for item in value] if all(map(domain.is_id, value)) else BadId()


class RoomMade(JsonAnswer, frozen=True, rename="camel"):
    """The room was created."""

    room_id: RoomIdField


class OfferBody(msgspec.Struct, frozen=True, rename="camel"):
    """A room that the asker may accept or decline. userWhoInvited: who offers it."""

    room_id: RoomIdField
    name: RoomNameField | None
    user_who_invited: UserIdField
    username: UsernameField
    created_at: TimeField


class OfferList(JsonAnswer, frozen=True):
    """Rooms that wait for the asker's answer, the newest first, at most 200."""

    offers: tuple[OfferBody, ...]


class BlockBody(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who cannot bring the asker into rooms."""

    user_id: UserIdField
    username: UsernameField
    created_at: TimeField


class BlockList(JsonAnswer, frozen=True):
    """Whom the asker keeps out."""

    blocks: tuple[BlockBody, ...]


def offer_body(offer: Offer) -> OfferBody:
    """An offer of a room."""
    return OfferBody(offer.room, offer.name, offer.host, offer.host_username, iso_seconds(offer.offered_at))


def block_body(block: Block) -> BlockBody:
    """A block."""
    return BlockBody(block.account, block.username, iso_seconds(block.since))
