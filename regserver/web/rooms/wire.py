"""Rooms on the wire: the bodies of requests, with the functions that read or refuse them, and those of answers."""

from collections.abc import Callable
from typing import Annotated, TypeGuard, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain import room as domain
from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadId, BadPostContent, Refusal
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
from regserver.web.rooms.listen_wire import SWITCHED_ON, query_of
from regserver.web.rooms.publish_wire import AsField, read_as

Id = TypeVar("Id", domain.RoomId, domain.PostId)


# --- requests; a repetition must have the same JSON
class Leaving(RequestBody, frozen=True):
    """The path says it all."""


class PostDraft(RequestBody, frozen=True):
    """What is to be written."""

    content: ContentField


class SignedDraft(PostDraft, frozen=True, rename={"as_": "as"}):
    """A post to be made."""

    as_: AsField = UNSET


class SeenMark(RequestBody, frozen=True, rename="camel"):
    """The newest post that was read."""

    post_id: PostIdField


def read_leaving(_: Request) -> Leaving:
    """Nothing: nobody looks at the body."""
    return Leaving()


def read_new_post(request: Request) -> PostDraft | Unreadable | BadPostContent:
    """The body of /room/edit: what a post says from now on."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    content = fields.get("content")
    return PostDraft(content) if _is_content(content) else BadPostContent()


def read_signed_draft(request: Request) -> SignedDraft | Unreadable | BadPostContent:
    """The body of POST /room/post."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    content = fields.get("content")
    return SignedDraft(content, read_as(fields)) if _is_content(content) else BadPostContent()


def _is_content(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and domain.is_post_content(value)


def read_seen(request: Request) -> SeenMark | Unreadable | BadId:
    """The body of /room/seen."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    post = fields.get("postId")
    return SeenMark(domain.PostId(post)) if domain.is_id(post) else BadId()


class LastPostWish(Parameters, frozen=True):
    """What /room/info is asked with."""

    get_last_post: Annotated[bool, described("Adds lastPost.", True)] = False


class PostRange(Parameters, frozen=True):
    """Which posts /room/readAll shows."""

    before: Annotated[PostIdField | None, Meta(description="Only posts older than this one.")] = None
    after: Annotated[
        PostIdField | None,
        Meta(description="The oldest posts that are newer than this one. Not together with `before`."),
    ] = None
    limit: Annotated[int, described("The most posts to return, up to 1000.", 50, ge=1)] = (
        domain.MAX_POSTS_LISTED
    )


class RoomRange(Parameters, frozen=True):
    """Which rooms /room/list shows."""

    before: Annotated[RoomIdField | None, Meta(description="Only rooms joined before this one.")] = None
    limit: Annotated[int, described("The most rooms to return, up to 1000.", 50, ge=1)] = (
        domain.MAX_ROOMS_LISTED
    )


def read_last_post_wish(request: Request) -> LastPostWish:
    """The query of /room/info."""
    return LastPostWish(query_of(request).get("getLastPost") in SWITCHED_ON)


def read_room_range(request: Request) -> RoomRange | BadId:
    """The query of /room/list."""
    span = _range(request, domain.RoomId, domain.MAX_ROOMS_LISTED)
    return span if isinstance(span, BadId) else RoomRange(*span)


def read_post_range(request: Request) -> PostRange | BadId:
    """The query of /room/readAll."""
    span = _range(request, domain.PostId, domain.MAX_POSTS_LISTED)
    if isinstance(span, BadId):
        return span
    before, limit = span
    after = query_of(request).get("after") if request.query else None
    if after is None:
        return PostRange(before=before, limit=limit)
    number = domain.parse_id(after)
    if number is None or before is not None:
        return BadId()
    return PostRange(after=domain.PostId(number), limit=limit)


def _range(request: Request, kind: Callable[[int], Id], most: int) -> tuple[Id | None, int] | BadId:
    """`before`, an id of this kind, and `limit`, at most `most`."""
    if not request.query:
        return None, most
    query = query_of(request)
    before, limit = query.get("before"), domain.parse_id(query.get("limit", str(most)))
    number = None if before is None else domain.parse_id(before)
    if limit is None or (before is not None and number is None):
        return BadId()
    return None if number is None else kind(number), min(limit, most)


# --- what is shown
class PostMade(JsonAnswer, frozen=True, rename="camel"):
    """The post was made."""

    post_id: PostIdField


EditedField = Annotated[
    TimeField | UnsetType,
    described("When its author edited it last; absent if never.", "2020-09-13T12:26:40Z"),
]


class PostBody(msgspec.Struct, frozen=True, rename="camel"):
    """A post, as /room/read shows it."""

    id: PostIdField
    user: UserIdField
    room: RoomIdField
    content: ContentField
    created_at: TimeField
    edited: EditedField = UNSET


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
    edited: EditedField = UNSET


class PostList(JsonAnswer, frozen=True):
    """Posts, oldest first. more: there are older ones; with `after`, newer ones."""

    posts: tuple[ListedPost, ...]
    more: bool


UserCountField = (
    Annotated[
        int,
        described(
            "The number of members, where `users` has only the first 30 of more than 1000.", 1200, ge=1
        ),
    ]
    | UnsetType
)


class RoomBody(msgspec.Struct, frozen=True, rename="camel"):
    """A room, as /room/info shows it: its members, its newest posts, and `lastPost` where it was asked for."""

    room_id: RoomIdField
    name: RoomNameField
    users: tuple[UserIdField, ...]
    posts: tuple[PostIdField, ...]
    created_at: TimeField
    updated_at: TimeField
    last_post: ListedPost | UnsetType | None = UNSET
    user_count: UserCountField = UNSET


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
    user_count: UserCountField = UNSET


class RoomList(JsonAnswer, frozen=True):
    """The asker's rooms, in the order of joining. more: there are others that were joined before."""

    rooms: tuple[RoomSummaryBody, ...]
    more: Annotated[
        bool | UnsetType, described("Present where rooms that were joined before these are left out.", True)
    ] = UNSET


def post_body(post: domain.Post) -> PostBody:
    """A post as /room/read shows it."""
    created_at = iso_seconds(post.created_at)
    return PostBody(post.id, post.author, post.room, post.content, created_at, _edited(post))


def listed_post(post: domain.Post) -> ListedPost:
    """A post as lists show it, with its author's name."""
    created_at = iso_seconds(post.created_at)
    return ListedPost(post.id, post.author, post.username, post.room, post.content, created_at, _edited(post))


def _edited(post: domain.Post) -> str | UnsetType:
    return UNSET if post.edited_at is None else iso_seconds(post.edited_at)


def room_body(detail: domain.RoomDetail, *, with_last_post: bool) -> RoomBody:
    """A room as /room/info shows it."""
    room, members = detail.room, _ids(detail.members)
    name = domain.display_name(room, detail.members)
    created_at, updated_at = iso_seconds(room.created_at), iso_seconds(room.updated_at)
    last_post = _last_post(detail.last_post) if with_last_post else UNSET
    count = _user_count(room)
    return RoomBody(room.id, name, members, detail.posts, created_at, updated_at, last_post, count)


def room_summary(summary: domain.RoomSummary) -> RoomSummaryBody:
    """A room as /room/list shows it."""
    room, last_post = summary.room, _last_post(summary.last_post)
    return RoomSummaryBody(
        room.id, summary.name, summary.members, last_post, summary.unread, _user_count(room)
    )


def room_list(page: domain.RoomPage) -> RoomList:
    """A page of rooms."""
    return RoomList(tuple(map(room_summary, page.rooms)), page.more or UNSET)


def _user_count(room: domain.Room) -> int | UnsetType:
    return room.member_count if room.is_large else UNSET


def _ids(members: tuple[domain.Member, ...]) -> tuple[AccountId, ...]:
    return tuple([member.account for member in members])


def _last_post(post: domain.Post | None) -> ListedPost | None:
    return None if post is None else listed_post(post)
