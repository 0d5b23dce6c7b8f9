"""Rooms on the wire: the bodies that are taken, each read to what it means or refused, and what is shown."""

from collections.abc import Sequence

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadId, BadOtherUsers, BadPostContent, BadRoomName, Refusal
from regserver.domain.room import (
    Member,
    Post,
    PostId,
    RoomDetail,
    RoomSummary,
    display_name,
    is_id,
    is_post_content,
    is_room_name,
)
from regserver.endpoint import Request
from regserver.web.http.body import read_object


# --- what is asked; its JSON is what a repetition is known by
class NewRoom(msgspec.Struct, frozen=True, rename="camel"):
    name: str | None
    other_users: Sequence[AccountId]


class Invitation(msgspec.Struct, frozen=True, rename="camel"):
    other_users: Sequence[AccountId]


class Leaving(msgspec.Struct, frozen=True):
    """The path says it all."""


class PostDraft(msgspec.Struct, frozen=True):
    content: str


class Seen(msgspec.Struct, frozen=True, rename="camel"):
    post_id: PostId


def read_new_room(request: Request) -> NewRoom | Refusal:
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    name = fields.get("name")
    if name is None or (isinstance(name, str) and is_room_name(name)):
        return NewRoom(name, others)
    return BadRoomName()


def read_invitation(request: Request) -> Invitation | Refusal:
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    return Invitation(others) if others else BadOtherUsers()


def read_leaving(_: Request) -> Leaving:
    """Whatever the body is: nobody looks at it."""
    return Leaving()


def read_new_post(request: Request) -> PostDraft | Refusal:
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    content = fields.get("content")
    return PostDraft(content) if isinstance(content, str) and is_post_content(content) else BadPostContent()


def read_seen(request: Request) -> Seen | Refusal:
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    post = fields.get("postId")
    return Seen(PostId(post)) if is_id(post) else BadId()


def _other_users(value: object) -> Sequence[AccountId] | BadOtherUsers | BadId:
    """`otherUsers`: absent is nobody; a list of ids; anything else is refused."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return BadOtherUsers()
    return [AccountId(item) for item in value] if all(map(is_id, value)) else BadId()


# --- what is shown
class PostBody(msgspec.Struct, frozen=True, rename="camel"):
    """The shape of `post` in /room/read."""

    id: int
    user: int
    room: int
    content: str
    created_at: str


class ListedPostBody(msgspec.Struct, frozen=True, rename="camel"):
    """A post in /room/readAll, and as `lastPost`."""

    id: int
    user: int
    username: str
    room: int
    content: str
    created_at: str


class RoomBody(msgspec.Struct, frozen=True, rename="camel"):
    """The shape of `room` in /room/info; `lastPost` where it was asked for."""

    room_id: int
    name: str
    users: tuple[int, ...]
    posts: tuple[int, ...]
    created_at: str
    updated_at: str
    last_post: ListedPostBody | msgspec.UnsetType | None


class RoomSummaryBody(msgspec.Struct, frozen=True, rename="camel"):
    """A room in /room/list."""

    room_id: int
    name: str
    users: tuple[int, ...]
    last_post: ListedPostBody | None
    unread: int


def post_body(post: Post) -> PostBody:
    return PostBody(post.id, post.author, post.room, post.content, iso_seconds(post.created_at))


def listed_post(post: Post) -> ListedPostBody:
    return ListedPostBody(
        post.id, post.author, post.username, post.room, post.content, iso_seconds(post.created_at)
    )


def room_body(detail: RoomDetail, *, with_last_post: bool) -> RoomBody:
    return RoomBody(
        detail.room.id,
        display_name(detail.room, detail.members),
        _ids(detail.members),
        detail.posts,
        iso_seconds(detail.room.created_at),
        iso_seconds(detail.room.updated_at),
        _last_post(detail.last_post) if with_last_post else msgspec.UNSET,
    )


def room_summary(summary: RoomSummary) -> RoomSummaryBody:
    return RoomSummaryBody(
        summary.room.id,
        display_name(summary.room, summary.members),
        _ids(summary.members),
        _last_post(summary.last_post),
        summary.unread,
    )


def _ids(members: tuple[Member, ...]) -> tuple[int, ...]:
    return tuple(member.account for member in members)


def _last_post(post: Post | None) -> ListedPostBody | None:
    return None if post is None else listed_post(post)
