"""Rooms on the wire: the bodies of requests, with the functions that read or refuse them, and those of answers."""

import urllib.parse
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain import room as domain
from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadId, BadOtherUsers, BadPostContent, BadRoomName, Refusal
from regserver.endpoint import Request
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import (
    ContentField,
    PostIdField,
    RoomIdField,
    RoomNameField,
    TimeField,
    UserIdField,
    UsernameField,
    described,
)
from regserver.web.http.pipeline import Parameters, RequestBody


# --- requests; a repetition must have the same JSON
class NewRoom(RequestBody, frozen=True, rename="camel"):
    """A room to be created. Without a name it is called by its members' names."""

    name: RoomNameField | None = None
    other_users: Annotated[Sequence[UserIdField], Meta(description="Who is in it beside the creator.")] = ()


class Invitation(RequestBody, frozen=True, rename="camel"):
    """Who is brought in; at least one."""

    other_users: Sequence[UserIdField]


class Leaving(RequestBody, frozen=True):
    """The path says it all."""


class PostDraft(RequestBody, frozen=True):
    """A post to be made."""

    content: ContentField


class Seen(RequestBody, frozen=True, rename="camel"):
    """The newest post that was read."""

    post_id: PostIdField


def read_new_room(request: Request) -> NewRoom | Unreadable | BadOtherUsers | BadId | BadRoomName:
    """The body of /room/create; an empty one is a room without name and others."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    name = fields.get("name")
    if name is None or (isinstance(name, str) and domain.is_room_name(name)):
        return NewRoom(name, others)
    return BadRoomName()


def read_invitation(request: Request) -> Invitation | Unreadable | BadOtherUsers | BadId:
    """The body of /room/invite."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    others = _other_users(fields.get("otherUsers"))
    if isinstance(others, Refusal):
        return others
    return Invitation(others) if others else BadOtherUsers()


def read_leaving(_: Request) -> Leaving:
    """Nothing: nobody looks at the body."""
    return Leaving()


def read_new_post(request: Request) -> PostDraft | Unreadable | BadPostContent:
    """The body of /room/post."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    content = fields.get("content")
    if isinstance(content, str) and domain.is_post_content(content):
        return PostDraft(content)
    return BadPostContent()


def read_seen(request: Request) -> Seen | Unreadable | BadId:
    """The body of /room/seen."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    post = fields.get("postId")
    return Seen(domain.PostId(post)) if domain.is_id(post) else BadId()


def _other_users(value: object) -> Sequence[AccountId] | BadOtherUsers | BadId:
    """`otherUsers`: absent is nobody; a list of ids; anything else is refused."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return BadOtherUsers()
    return [AccountId(item) for item in value] if all(map(domain.is_id, value)) else BadId()


class LastPostWish(Parameters, frozen=True):
    """What /room/info is asked with."""

    get_last_post: Annotated[bool, described("Adds lastPost.", True)] = False


class PostRange(Parameters, frozen=True):
    """Which posts /room/readAll shows."""

    before: Annotated[PostIdField | None, Meta(description="Only posts older than this one.")] = None
    limit: Annotated[int, described("The most posts to return, up to 1000.", 50, ge=1)] = (
        domain.MAX_POSTS_LISTED
    )


class ListenWish(Parameters, frozen=True):
    """What /room/websocket is asked with. Without `since` nothing of the past is sent."""

    token: Annotated[
        str | None,
        described(
            "A bearer token, where no Authorization field can be sent; the operator may forbid it.",
            "regs_0123abcd",
        ),
    ] = None
    ticket: Annotated[str | None, described("A ticket of POST /login/ticket.", "regs_0123abcd")] = None
    since: Annotated[
        str | None,
        described(
            "A cursor, or empty for now: Resumed comes first, then what was missed, then live frames,"
            " each with a cursor.",
            "AAAAAAAAAAA",
        ),
    ] = None


def read_listen_wish(request: Request) -> ListenWish:
    """The query of /room/websocket."""
    query = _query(request)
    return ListenWish(query.get("token"), query.get("ticket"), query.get("since"))


def read_last_post_wish(request: Request) -> LastPostWish:
    """The query of /room/info."""
    return LastPostWish(_query(request).get("getLastPost") == "true")


def read_post_range(request: Request) -> PostRange | BadId:
    """The query of /room/readAll."""
    query = _query(request)
    before, limit = query.get("before"), domain.parse_id(query.get("limit", str(domain.MAX_POSTS_LISTED)))
    number = None if before is None else domain.parse_id(before)
    if limit is None or (before is not None and number is None):
        return BadId()
    return PostRange(None if number is None else domain.PostId(number), min(limit, domain.MAX_POSTS_LISTED))


def _query(request: Request) -> dict[str, str]:
    """The query's parameters; of a repeated one the last counts."""
    return dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))


# --- what is shown
class RoomMade(JsonAnswer, frozen=True, rename="camel"):
    """The room was created."""

    room_id: RoomIdField


class PostMade(JsonAnswer, frozen=True, rename="camel"):
    """The post was made."""

    post_id: PostIdField


class PostBody(msgspec.Struct, frozen=True, rename="camel"):
    """A post, as /room/read shows it."""

    id: PostIdField
    user: UserIdField
    room: RoomIdField
    content: ContentField
    created_at: TimeField


class PostShown(JsonAnswer, frozen=True):
    """One post."""

    post: PostBody


class ListedPost(msgspec.Struct, frozen=True, rename="camel"):
    """A post, as /room/readAll shows it and as `lastPost`."""

    id: PostIdField
    user: UserIdField
    username: UsernameField
    room: RoomIdField
    content: ContentField
    created_at: TimeField


class PostList(JsonAnswer, frozen=True):
    """Posts, oldest first. more: there are older ones."""

    posts: tuple[ListedPost, ...]
    more: bool


class RoomBody(msgspec.Struct, frozen=True, rename="camel"):
    """A room, as /room/info shows it: its members, its newest posts, and `lastPost` where it was asked for."""

    room_id: RoomIdField
    name: RoomNameField
    users: tuple[UserIdField, ...]
    posts: tuple[PostIdField, ...]
    created_at: TimeField
    updated_at: TimeField
    last_post: ListedPost | UnsetType | None = UNSET


class RoomShown(JsonAnswer, frozen=True):
    """One room."""

    room: RoomBody


class RoomSummaryBody(msgspec.Struct, frozen=True, rename="camel"):
    """A room in /room/list. unread: posts of others after the asker's mark."""

    room_id: RoomIdField
    name: RoomNameField
    users: tuple[UserIdField, ...]
    last_post: ListedPost | None
    unread: Annotated[int, Meta(ge=0, examples=[3])]


class RoomList(JsonAnswer, frozen=True):
    """The asker's rooms."""

    rooms: tuple[RoomSummaryBody, ...]


def post_body(post: domain.Post) -> PostBody:
    """A post as /room/read shows it."""
    return PostBody(post.id, post.author, post.room, post.content, iso_seconds(post.created_at))


def listed_post(post: domain.Post) -> ListedPost:
    """A post as lists show it, with its author's name."""
    return ListedPost(
        post.id, post.author, post.username, post.room, post.content, iso_seconds(post.created_at)
    )


def room_body(detail: domain.RoomDetail, *, with_last_post: bool) -> RoomBody:
    """A room as /room/info shows it."""
    room, members = detail.room, _ids(detail.members)
    name = domain.display_name(room, detail.members)
    created_at, updated_at = iso_seconds(room.created_at), iso_seconds(room.updated_at)
    last_post = _last_post(detail.last_post) if with_last_post else UNSET
    return RoomBody(room.id, name, members, detail.posts, created_at, updated_at, last_post)


def room_summary(summary: domain.RoomSummary) -> RoomSummaryBody:
    """A room as /room/list shows it."""
    room, members = summary.room, _ids(summary.members)
    name = domain.display_name(room, summary.members)
    return RoomSummaryBody(room.id, name, members, _last_post(summary.last_post), summary.unread)


def _ids(members: tuple[domain.Member, ...]) -> tuple[AccountId, ...]:
    return tuple(member.account for member in members)


def _last_post(post: domain.Post | None) -> ListedPost | None:
    return None if post is None else listed_post(post)
