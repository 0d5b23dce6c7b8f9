"""The room door over HTTP. Checks come in the contract's order: body, then token, then room."""

import urllib.parse
from collections.abc import Sequence
from typing import Any

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import (
    BadContentType,
    BadId,
    BadJson,
    BadOtherUsers,
    BadPostContent,
    BadRoomName,
    Refusal,
)
from regserver.domain.room import (
    MAX_POSTS_LISTED,
    Member,
    Post,
    PostId,
    RoomDetail,
    RoomSummary,
    called,
    is_id,
    is_post_content,
    is_room_name,
    parse_id,
)
from regserver.endpoint import Request, Response
from regserver.service.room import RoomService
from regserver.web.answer import NAMED, NO_CONTENT, json
from regserver.web.bearer import bearer
from regserver.web.body import read_object
from regserver.web.retry import retry_of
from regserver.web.route import Route


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


class RoomDoor:
    """The endpoints under /room."""

    def __init__(self, rooms: RoomService) -> None:
        self._rooms = rooms

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/room/create", self.create, "write", NAMED),
            Route("GET", "/room/list", self.list, "read", NAMED, hot=True),
            Route("GET", "/room/info/{room}", self.info, "read", NAMED, hot=True),
            Route("POST", "/room/invite/{room}", self.invite, "write", NAMED),
            Route("POST", "/room/leave/{room}", self.leave, "write", NAMED),
            Route("POST", "/room/post/{room}", self.post, "write", NAMED, hot=True),
            Route("GET", "/room/read/{post}", self.read, "read", NAMED, hot=True),
            Route("GET", "/room/readAll/{room}", self.read_all, "read", NAMED, hot=True),
            Route("POST", "/room/seen/{room}", self.seen, "write", NAMED, hot=True),
        )

    async def create(self, request: Request) -> Response:
        body = read_object(request, optional=True)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        others = _other_users(body.get("otherUsers"))
        if isinstance(others, Refusal):
            return NAMED.refuse(others)
        name = body.get("name")
        if name is not None and not (isinstance(name, str) and is_room_name(name)):
            return NAMED.refuse(BadRoomName())
        retry = retry_of(request, {"name": name, "otherUsers": others})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        room = await self._rooms.create(token, name, others, retry)
        return NAMED.refuse(room) if isinstance(room, Refusal) else json({"roomId": room})

    async def list(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        rooms = await self._rooms.list(token)
        if isinstance(rooms, Refusal):
            return NAMED.refuse(rooms)
        return json({"rooms": [_summary_body(room) for room in rooms]})

    async def info(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        detail = await self._rooms.info(token, request.params["room"])
        if isinstance(detail, Refusal):
            return NAMED.refuse(detail)
        body = _detail_body(detail)
        if _query(request).get("getLastPost") == "true":
            body["lastPost"] = _listed_or_null(detail.last_post)
        return json({"room": body})

    async def invite(self, request: Request) -> Response:
        body = read_object(request, optional=True)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        others = _other_users(body.get("otherUsers"))
        if isinstance(others, Refusal):
            return NAMED.refuse(others)
        if not others:
            return NAMED.refuse(BadOtherUsers())
        retry = retry_of(request, {"otherUsers": others})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        refusal = await self._rooms.invite(token, request.params["room"], others, retry)
        return NO_CONTENT if refusal is None else NAMED.refuse(refusal)

    async def leave(self, request: Request) -> Response:
        retry = retry_of(request, {})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        refusal = await self._rooms.leave(token, request.params["room"], retry)
        return NO_CONTENT if refusal is None else NAMED.refuse(refusal)

    async def post(self, request: Request) -> Response:
        body = read_object(request)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        content = body.get("content")
        if not (isinstance(content, str) and is_post_content(content)):
            return NAMED.refuse(BadPostContent())
        retry = retry_of(request, {"content": content})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        post = await self._rooms.post(token, request.params["room"], content, retry)
        return NAMED.refuse(post) if isinstance(post, Refusal) else json({"postId": post})

    async def read(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        post = await self._rooms.read(token, request.params["post"])
        if isinstance(post, Refusal):
            return NAMED.refuse(post)
        return json(
            {"post": PostBody(post.id, post.author, post.room, post.content, iso_seconds(post.created_at))}
        )

    async def read_all(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        query = _query(request)
        before = _optional_id(query.get("before"))
        limit = _optional_id(query.get("limit", str(MAX_POSTS_LISTED)))
        if isinstance(before, BadId) or isinstance(limit, BadId) or limit is None:
            return NAMED.refuse(BadId())
        newest = None if before is None else PostId(before)
        page = await self._rooms.read_all(token, request.params["room"], newest, min(limit, MAX_POSTS_LISTED))
        if isinstance(page, Refusal):
            return NAMED.refuse(page)
        return json({"posts": [_listed(post) for post in page.posts], "more": page.more})

    async def seen(self, request: Request) -> Response:
        body = read_object(request)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        post = body.get("postId")
        if not is_id(post):
            return NAMED.refuse(BadId())
        retry = retry_of(request, {"postId": post})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        refusal = await self._rooms.seen(token, request.params["room"], PostId(post), retry)
        return NO_CONTENT if refusal is None else NAMED.refuse(refusal)


def _other_users(value: object) -> Sequence[AccountId] | BadOtherUsers | BadId:
    """`otherUsers`: absent is nobody; a list of ids; anything else is refused."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return BadOtherUsers()
    if not all(is_id(item) for item in value):
        return BadId()
    return [AccountId(item) for item in value]


def _query(request: Request) -> dict[str, str]:
    """The query's parameters; of a repeated one the last counts."""
    return dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))


def _optional_id(text: str | None) -> int | BadId | None:
    if text is None:
        return None
    number = parse_id(text)
    return BadId() if number is None else number


def _member_ids(members: tuple[Member, ...]) -> tuple[int, ...]:
    return tuple(member.account for member in members)


def _listed(post: Post) -> ListedPostBody:
    return ListedPostBody(
        post.id, post.author, post.username, post.room, post.content, iso_seconds(post.created_at)
    )


def _listed_or_null(post: Post | None) -> ListedPostBody | None:
    return None if post is None else _listed(post)


def _detail_body(detail: RoomDetail) -> dict[str, Any]:
    return {
        "roomId": detail.room.id,
        "name": called(detail.room, detail.members),
        "users": _member_ids(detail.members),
        "posts": detail.posts,
        "createdAt": iso_seconds(detail.room.created_at),
        "updatedAt": iso_seconds(detail.room.updated_at),
    }


def _summary_body(summary: RoomSummary) -> dict[str, Any]:
    return {
        "roomId": summary.room.id,
        "name": called(summary.room, summary.members),
        "users": _member_ids(summary.members),
        "lastPost": _listed_or_null(summary.last_post),
        "unread": summary.unread,
    }
