"""What happens in one's rooms, as the server tells it."""

from datetime import datetime
from typing import Any

import msgspec


class RoomNotification(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, rename="camel"):
    """Base of all. cursor: where to go on from after it; None for those that no log keeps."""

    cursor: str | None = None


class NewPost(RoomNotification, frozen=True, kw_only=True):
    """Somebody posted."""

    user_id: int
    room_id: int
    post_id: int
    content: str
    created_at: datetime


class PostEdited(RoomNotification, frozen=True, kw_only=True):
    """Somebody gave their post another content. Only with `edits`."""

    user_id: int
    room_id: int
    post_id: int
    content: str
    edited_at: datetime


class PostDeleted(RoomNotification, frozen=True, kw_only=True):
    """Somebody deleted their post. Only with `edits`."""

    user_id: int
    room_id: int
    post_id: int


class RoomRenamed(RoomNotification, frozen=True, kw_only=True):
    """Somebody gave their room another name. Only with `edits`."""

    user_id: int
    room_id: int
    name: str | None = None


class Seen(RoomNotification, frozen=True, kw_only=True):
    """One has read a room up to this post, perhaps on another device. Only with `seen`; not kept by the log."""

    room_id: int
    post_id: int


class RoomCreated(RoomNotification, frozen=True, kw_only=True):
    """Somebody created a room with one in it."""

    creator_id: int
    room_id: int


class RoomInvitation(RoomNotification, frozen=True, kw_only=True):
    """Somebody brought one into a room, or offers it where the server asks first."""

    user_who_invited: int
    room_id: int


class NewUsersInRoom(RoomNotification, frozen=True, kw_only=True):
    """Somebody brought others in."""

    user_who_invited: int
    new_users: tuple[int, ...]
    room_id: int


class UserLeftRoom(RoomNotification, frozen=True, kw_only=True):
    """Somebody left, or deleted their account."""

    user_id: int
    room_id: int
    user_deleted: bool


class Presence(RoomNotification, frozen=True, kw_only=True):
    """A member came or went."""

    user_id: int
    room_id: int
    online: bool


class Typing(RoomNotification, frozen=True, kw_only=True):
    """A member is typing."""

    user_id: int
    room_id: int


class Resumed(RoomNotification, frozen=True, kw_only=True):
    """The first frame of a connection."""

    recovered: bool
    missed: int


class Gap(msgspec.Struct, frozen=True):
    """The log did not reach back to the cursor: what happened before `cursor` was partly missed. Read the rooms again."""

    cursor: str


class Other(msgspec.Struct, frozen=True):
    """A notification of a later server."""

    fields: dict[str, Any]


Heard = (
    NewPost
    | PostEdited
    | PostDeleted
    | RoomRenamed
    | Seen
    | RoomCreated
    | RoomInvitation
    | NewUsersInRoom
    | UserLeftRoom
    | Presence
    | Typing
)
Notification = Heard | Gap | Other
Frame = Heard | Resumed
"""What the server sends."""
FRAME_TYPES = {kind.__name__ for kind in RoomNotification.__subclasses__()}
