"""The notifications, with exactly the protocol's keys, and `cursor` for sockets that resume."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain.cursor import CursorSeal
from regserver.domain.instant import iso_seconds
from regserver.domain.room_event import (
    Audience,
    Created,
    Edited,
    Invited,
    Left,
    OfferAccepted,
    Offered,
    Posted,
    Removed,
    Renamed,
    Retracted,
    RoomEvent,
)
from regserver.endpoint import Frame
from regserver.serving import text_frame
from regserver.web.http.field import (
    ContentField,
    PostIdField,
    RoomIdField,
    RoomNameField,
    TimeField,
    UserIdField,
    described,
)
from regserver.web.rooms.sign import AnySign


class Notification(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """Base of all. cursor: stands last, where the socket asked with `since`."""

    cursor: Annotated[
        str | UnsetType, described("Where to go on from, if the socket asked with `since`.", "AAAAAAAAAAA")
    ] = UNSET


class NewPost(Notification, frozen=True, tag=True):
    """Somebody posted in a room that the listener is in."""

    user_id: UserIdField
    room_id: RoomIdField
    post_id: PostIdField
    content: ContentField
    created_at: TimeField


class PostEdited(Notification, frozen=True, tag=True):
    """Somebody edited their post; only sockets with `edits=true` hear it. content: what it says now."""

    user_id: UserIdField
    room_id: RoomIdField
    post_id: PostIdField
    content: ContentField
    edited_at: TimeField


class PostDeleted(Notification, frozen=True, tag=True):
    """Somebody deleted their post; only sockets with `edits=true` hear it."""

    user_id: UserIdField
    room_id: RoomIdField
    post_id: PostIdField


class RoomRenamed(Notification, frozen=True, tag=True):
    """Somebody gave their room another name; only sockets with `edits=true` hear it."""

    user_id: UserIdField
    room_id: RoomIdField
    name: RoomNameField


class RoomCreated(Notification, frozen=True, tag=True):
    """Somebody created a room with the listener in it."""

    creator_id: UserIdField
    room_id: RoomIdField


class RoomInvitation(Notification, frozen=True, tag=True):
    """Somebody brought the listener into a room, or offers it where `rooms.consent` is "ask"."""

    user_who_invited: UserIdField
    room_id: RoomIdField


class NewUsersInRoom(Notification, frozen=True, tag=True):
    """Somebody brought others into a room that the listener is in."""

    user_who_invited: UserIdField
    new_users: tuple[UserIdField, ...]
    room_id: RoomIdField


class UserLeftRoom(Notification, frozen=True, tag=True):
    """Somebody left a room that the listener is in, was removed from it, or deleted their account."""

    user_id: UserIdField
    room_id: RoomIdField
    user_deleted: bool


class Resumed(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    """The first frame of a socket that asked with `since`: where its stream starts, and what follows before it is live."""

    cursor: Annotated[str, Meta(examples=["AAAAAAAAAAA"])]
    recovered: Annotated[bool, Meta(description="Whether the log reaches back to the cursor.")]
    missed: Annotated[int, described("How many frames of the past follow.", 2, ge=0)]


AnyNotification = (
    NewPost
    | PostEdited
    | PostDeleted
    | RoomRenamed
    | RoomCreated
    | RoomInvitation
    | NewUsersInRoom
    | UserLeftRoom
)
RoomFrame = Resumed | AnyNotification | AnySign

encode = msgspec.json.Encoder().encode


def notification(event: RoomEvent, audience: Audience) -> AnyNotification:
    """What this audience hears of the event."""
    match event.change:
        case Posted(post=post, content=content):
            return NewPost(event.actor, event.room, post, content, iso_seconds(event.at))
        case Edited(post=post, content=content):
            return PostEdited(event.actor, event.room, post, content, iso_seconds(event.at))
        case Retracted(post=post):
            return PostDeleted(event.actor, event.room, post)
        case Created():
            return RoomCreated(event.actor, event.room)
        case Invited(newcomers=newcomers):
            if audience == "newcomer":
                return RoomInvitation(event.actor, event.room)
            return NewUsersInRoom(event.actor, newcomers, event.room)
        case Offered():
            return RoomInvitation(event.actor, event.room)
        case OfferAccepted(host=host, newcomer=newcomer):
            return NewUsersInRoom(host, (newcomer,), event.room)
        case Left(deleted=deleted):
            return UserLeftRoom(event.actor, event.room, deleted)
        case Removed(member=member):
            return UserLeftRoom(member, event.room, user_deleted=False)
        case Renamed(name=name):
            return RoomRenamed(event.actor, event.room, name)


def notification_frame(event: RoomEvent, audience: Audience) -> Frame:
    """The frame of a socket that does not resume."""
    return text_frame(encode(notification(event, audience)))


def resumable_frame(seal: CursorSeal, event: RoomEvent, audience: Audience) -> Frame:
    """The frame of a socket that resumes: with the event's cursor, which is the same for everybody."""
    return text_frame(encode_resumable(event, audience, seal))


def encode_resumable(event: RoomEvent, audience: Audience, seal: CursorSeal) -> bytes:
    """The text of a resumable frame: the notification with `cursor` as its last key."""
    text = encode(notification(event, audience))
    return text[:-1] + b',"cursor":"%s"}' % seal.write(event.position).encode()
