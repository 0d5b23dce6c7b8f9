"""Rooms, members and posts, and the rules of ids, room names and posts."""

from collections.abc import Sequence
from typing import NewType, TypeGuard

import msgspec

from regserver.domain.account import MAX_JSON_INTEGER, AccountId, has_control_character
from regserver.domain.instant import Instant

RoomId = NewType("RoomId", int)
PostId = NewType("PostId", int)

MAX_ROOM_NAME_LENGTH = 100
MAX_POST_BYTES = 16 * 1024
MAX_POSTS_LISTED = 1000
MAX_LISTED_BYTES = 1024 * 1024 - 256
"""Of the posts or rooms of one page as JSON; the rest of 1 MiB is for what surrounds them."""
LISTED_FIELDS_BYTES = 200
"""Of a listed post as JSON, without content and user name, at most."""
MAX_ROOMS_LISTED = 1000
LARGE_ROOM = 1000
"""With more members than this, lists and details of a room show only the first MEMBERS_SHOWN of them."""
MEMBERS_SHOWN = 30


class Room(msgspec.Struct, frozen=True):
    """A room. name: None when it is displayed by its members' names. member_count: of the current members."""

    id: RoomId
    name: str | None
    created_at: Instant
    updated_at: Instant
    member_count: int

    @property
    def is_large(self) -> bool:
        """Whether only some of its members are shown."""
        return self.member_count > LARGE_ROOM


class Member(msgspec.Struct, frozen=True):
    """A current member of a room."""

    account: AccountId
    username: str


class Post(msgspec.Struct, frozen=True):
    """One post, with what it says now. username: of the author. edited_at: last, if ever."""

    id: PostId
    room: RoomId
    author: AccountId
    username: str
    content: str
    created_at: Instant
    edited_at: Instant | None = None


class RoomDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A room with its members in the order of joining, and the ids of its newest posts, oldest first.

    members: only the first MEMBERS_SHOWN of a large room.
    """

    room: Room
    members: tuple[Member, ...]
    posts: tuple[PostId, ...]
    last_post: Post | None


class RoomSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A room in its member's list, with members as in RoomDetail.

    name: as it is shown. unread: posts of others after the member's unread mark.
    """

    room: Room
    name: str
    members: tuple[AccountId, ...]
    last_post: Post | None
    unread: int


class RoomPage(msgspec.Struct, frozen=True):
    """Rooms in the order of joining. more: whether the account has joined others before these."""

    rooms: tuple[RoomSummary, ...]
    more: bool


class PostPage(msgspec.Struct, frozen=True):
    """Posts, oldest first. more: whether there are others beyond them, on the side to which it was read."""

    posts: tuple[Post, ...]
    more: bool


def listed_bytes(post: Post) -> int:
    """The length of a post as JSON in a page, or a little more."""
    return (
        LISTED_FIELDS_BYTES + len(msgspec.json.encode(post.content)) + len(msgspec.json.encode(post.username))
    )


def parse_id(text: str) -> int | None:
    """The id in a path segment: ASCII digits without a leading zero, 1 to 2^53 - 1; None for any other text."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 16 or text.startswith("0"):
        return None
    number = int(text)
    return number if number <= MAX_JSON_INTEGER else None


def is_id(value: object) -> TypeGuard[int]:
    """Whether a value of a JSON body is an id: an integer (not a boolean) from 1 to 2^53 - 1."""
    return type(value) is int and 1 <= value <= MAX_JSON_INTEGER


def is_room_name(name: str) -> bool:
    """1 to 100 characters, not only white space, none of them a control character."""
    return len(name.strip()) > 0 and len(name) <= MAX_ROOM_NAME_LENGTH and not has_control_character(name)


def is_post_content(content: str) -> bool:
    """Not blank and at most 16 KiB in UTF-8; without NUL and lone surrogates, which not every store can write."""
    if not content.strip() or "\0" in content:
        return False
    try:
        return len(content.encode()) <= MAX_POST_BYTES
    except UnicodeEncodeError:
        return False


def display_name(room: Room, members: tuple[Member, ...]) -> str:
    """The room's own name, or else its members' names (docs/rooms.md)."""
    return room_title(room, [member.username for member in members])


def room_title(room: Room, usernames: Sequence[str]) -> str:
    """The same, where the members' names alone are known."""
    return room.name if room.name is not None else ", ".join(usernames)
