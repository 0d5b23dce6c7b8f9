"""The five notifications, with exactly the seed's keys; for sockets that can resume, with the key `cursor` as well."""

import msgspec

from regserver.domain.cursor import CursorSeal
from regserver.domain.instant import iso_seconds
from regserver.domain.room_event import Audience, Created, Invited, Left, Posted, RoomEvent
from regserver.endpoint import Frame
from regserver.serving import text_frame


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


class Resumed(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    """The first frame of a socket that asked with `since`: where its stream starts, and what follows before it is live."""

    cursor: str
    recovered: bool
    missed: int


Notification = NewPost | RoomCreated | RoomInvitation | NewUsersInRoom | UserLeftRoom

_encode = msgspec.json.Encoder().encode


def notification(event: RoomEvent, audience: Audience) -> Notification:
    """What this audience hears of the event."""
    match event.change:
        case Posted(post=post, content=content):
            return NewPost(event.actor, event.room, post, content, iso_seconds(event.at))
        case Created():
            return RoomCreated(event.actor, event.room)
        case Invited(newcomers=newcomers):
            if audience == "newcomer":
                return RoomInvitation(event.actor, event.room)
            return NewUsersInRoom(event.actor, newcomers, event.room)
        case Left(deleted=deleted):
            return UserLeftRoom(event.actor, event.room, deleted)


def notification_frame(event: RoomEvent, audience: Audience) -> Frame:
    """The frame of a socket that does not resume."""
    return text_frame(_encode(notification(event, audience)))


def resumable_frame(seal: CursorSeal, event: RoomEvent, audience: Audience) -> Frame:
    """The frame of a socket that resumes: with the event's cursor, which is the same for everybody."""
    return text_frame(encode_resumable(event, audience, seal))


def encode_resumable(event: RoomEvent, audience: Audience, seal: CursorSeal) -> bytes:
    """The text of a resumable frame: the notification with `cursor` as its last key."""
    text = _encode(notification(event, audience))
    return text[:-1] + b',"cursor":"%s"}' % seal.write(event.position).encode()


def encode_resumed(resumed: Resumed) -> bytes:
    """The text of a resumable socket's first frame."""
    return _encode(resumed)
