"""Signs: what members of a room are told while it happens, and what no log keeps."""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.room import PostId, RoomId

MOST_TOLD = 100
"""People of one room who are told to be present. In a larger crowd the others are told as places become free."""
MOST_TYPING = 10
"""People of one room who are told to be typing at the same time."""


class PresenceChanged(msgspec.Struct, frozen=True):
    """A member came, or went."""

    account: AccountId
    room: RoomId
    online: bool


class TypingNoticed(msgspec.Struct, frozen=True, tag="typing", array_like=True):
    """A member is writing a post."""

    account: AccountId
    room: RoomId


class MarkMoved(msgspec.Struct, frozen=True, tag="seen", array_like=True):
    """The account has read a room up to a post; its own sockets alone are told."""

    account: AccountId
    room: RoomId
    post: PostId


Sign = PresenceChanged | TypingNoticed | MarkMoved

PassedSign = TypingNoticed | MarkMoved
"""What each node hears of by itself, and passes on to the others."""
