"""The five notifications, with exactly the seed's keys."""

import msgspec

from regserver.domain.event import Created, Event, Invited, Left, Posted, Standing
from regserver.domain.instant import iso_seconds


class NewPost(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    user_id: int
    room_id: int
    post_id: int
    content: str
    created_at: str


class RoomCreated(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    creator_id: int
    room_id: int


class RoomInvitation(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    user_who_invited: int
    room_id: int


class NewUsersInRoom(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    user_who_invited: int
    new_users: tuple[int, ...]
    room_id: int


class UserLeftRoom(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    user_id: int
    room_id: int
    user_deleted: bool


Notification = NewPost | RoomCreated | RoomInvitation | NewUsersInRoom | UserLeftRoom

_encode = msgspec.json.Encoder().encode


def notification(event: Event, standing: Standing) -> Notification:
    """What somebody of this standing hears of the event."""
    match event.change:
        case Posted(post=post, content=content):
            return NewPost(event.actor, event.room, post, content, iso_seconds(event.at))
        case Created():
            return RoomCreated(event.actor, event.room)
        case Invited(newcomers=newcomers):
            if standing == "newcomer":
                return RoomInvitation(event.actor, event.room)
            return NewUsersInRoom(event.actor, newcomers, event.room)
        case Left(deleted=deleted):
            return UserLeftRoom(event.actor, event.room, deleted)


def encode_notification(event: Event, standing: Standing) -> bytes:
    """The frame's text."""
    return _encode(notification(event, standing))
