"""The frames of presence and typing. They have no cursor: no log keeps them, and nobody recovers them."""

from typing import Annotated

import msgspec

from regserver.domain.presence import MarkMoved, PresenceChanged, Sign, TypingNoticed
from regserver.endpoint import Frame
from regserver.serving import text_frame
from regserver.web.http.field import PostIdField, RoomIdField, UserIdField, described


class Presence(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    """A member of a room of the listener's came or went; only sockets with `presence=true` hear it, and are shown."""

    user_id: UserIdField
    room_id: RoomIdField
    online: Annotated[bool, described("Whether a socket of the member's is there.", True)]


class Typing(msgspec.Struct, frozen=True, tag_field="type", tag=True, rename="camel"):
    """A member of a room of the listener's is typing; only sockets with `presence=true` hear it."""

    user_id: UserIdField
    room_id: RoomIdField


class Seen(msgspec.Struct, frozen=True, tag_field="type", tag="Seen", rename="camel"):
    """The listener has read a room up to this post, perhaps on another device; only sockets with `seen=true` hear it."""

    room_id: RoomIdField
    post_id: PostIdField


AnySign = Presence | Typing | Seen

_encode = msgspec.json.Encoder().encode


def encode_sign(sign: Sign) -> bytes:
    """The text of its frame."""
    match sign:
        case PresenceChanged(account=account, room=room, online=online):
            return _encode(Presence(account, room, online))
        case TypingNoticed(account=account, room=room):
            return _encode(Typing(account, room))
        case MarkMoved(room=room, post=post):
            return _encode(Seen(room, post))


def sign_frame(sign: Sign) -> Frame:
    """The frame of a WebSocket."""
    return text_frame(encode_sign(sign))


def sign_chunk(sign: Sign) -> Frame:
    """A sign in a stream: without an id, so that the last one stays the cursor."""
    return Frame(b"data: %b\n\n" % encode_sign(sign))
