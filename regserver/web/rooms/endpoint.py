"""The room door over HTTP: the calls of the room service, after the checks of body and token."""

from msgspec import UNSET

from regserver.domain.outcome import (
    BadId,
    IdempotencyConflict,
    NotInRoom,
    PostNotFound,
    QuotaExceeded,
    Refusal,
)
from regserver.domain.room import PostId
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.publish_service import Publisher, PublishService, Unnamed
from regserver.service.room_admission import Unadmitted
from regserver.service.room_service import NoAccess, RoomService
from regserver.service.typing_service import TypingService
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import wire


class RoomsApi:
    """The endpoints under /room."""

    def __init__(self, rooms: RoomService, typing: TypingService, publish: PublishService) -> None:
        self._rooms = rooms
        self._publish = publish
        self._typing = typing

    def routes(self) -> tuple[Route, ...]:
        """Its routes; those by which people get into rooms are in membership_endpoint."""
        leave = pipeline(self.leave, KeyedStep(wire.read_leaving), bearer)
        post = pipeline(self.post, KeyedStep(wire.read_signed_draft), bearer)
        info = pipeline(self.info, bearer, wire.read_last_post_wish)
        read_all = pipeline(self.read_all, bearer, wire.read_post_range)
        return (
            Route(
                "rooms.list", "GET", "/room/list", pipeline(self.list, bearer, wire.read_room_range), "read"
            ),
            Route("rooms.info", "GET", "/room/info/{room}", info, "read"),
            Route("rooms.leave", "POST", "/room/leave/{room}", leave, "write"),
            Route("rooms.post", "POST", "/room/post/{room}", post, "write"),
            Route("rooms.read", "GET", "/room/read/{post}", pipeline(self.read, bearer), "read"),
            Route("rooms.read_all", "GET", "/room/readAll/{room}", read_all, "read"),
            Route("rooms.typing", "POST", "/room/typing/{room}", pipeline(self.typing, bearer), "write"),
        )

    # --- changes
    async def leave(
        self, request: Request, asked: Keyed[wire.Leaving], token: SecretHash
    ) -> NoAccess | IdempotencyConflict | None:
        """Leave a room. The last one to leave removes it."""
        return await self._rooms.leave(token, request.params["room"], asked.idempotency)

    async def post(
        self, request: Request, asked: Keyed[wire.SignedDraft], token: SecretHash
    ) -> wire.PostMade | NoAccess | QuotaExceeded | IdempotencyConflict | Unnamed:
        """Post into a room; with an operator's publish key and `as`, in a service's name."""
        room, body = request.params["room"], asked.body
        post: PostId | NoAccess | QuotaExceeded | IdempotencyConflict | Unnamed
        if body.as_ is UNSET:
            post = await self._rooms.post(token, room, body.content, asked.idempotency)
        else:
            who = Publisher(token, body.as_)
            post = await self._publish.post(who, room, body.content, asked.idempotency)
        return post if isinstance(post, Refusal) else wire.PostMade(post)

    async def typing(self, request: Request, token: SecretHash) -> NoAccess | None:
        """Tell the room that a post is being written. What comes more often than every two seconds is not passed on."""
        return await self._typing.typing(token, request.params["room"])

    # --- reading
    async def list(self, _: Request, token: SecretHash, span: wire.RoomRange) -> wire.RoomList | Unadmitted:
        """List the asker's rooms: the page that was joined last, or the one before a room."""
        page = await self._rooms.list(token, span.before, span.limit)
        return page if isinstance(page, Refusal) else wire.room_list(page)

    async def info(
        self, request: Request, token: SecretHash, wish: wire.LastPostWish
    ) -> wire.RoomShown | NoAccess:
        """Show a room."""
        detail = await self._rooms.info(token, request.params["room"])
        if isinstance(detail, Refusal):
            return detail
        return wire.RoomShown(wire.room_body(detail, with_last_post=wish.get_last_post))

    async def read(
        self, request: Request, token: SecretHash
    ) -> wire.PostShown | Unadmitted | BadId | PostNotFound | NotInRoom:
        """Show one post."""
        post = await self._rooms.read(token, request.params["post"])
        return post if isinstance(post, Refusal) else wire.PostShown(wire.post_body(post))

    async def read_all(
        self, request: Request, token: SecretHash, span: wire.PostRange
    ) -> wire.PostList | NoAccess:
        """Show the posts of a room: the newest page, or the one before or after a post."""
        page = await self._rooms.read_all(token, request.params["room"], span.before, span.limit, span.after)
        if isinstance(page, Refusal):
            return page
        return wire.PostList(tuple(map(wire.listed_post, page.posts)), page.more)
