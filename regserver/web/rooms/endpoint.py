"""The room door over HTTP: what each endpoint asks of the rooms, once body and token are known to be in order."""

import urllib.parse

from regserver.domain.idempotency import Idempotency
from regserver.domain.outcome import BadId, Refusal
from regserver.domain.room import MAX_POSTS_LISTED, PostId, parse_id
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.room_service import RoomService
from regserver.web.http.answer import NAMED, NO_CONTENT, json
from regserver.web.http.bearer import authorized
from regserver.web.http.command import command
from regserver.web.http.route import Answer, Route
from regserver.web.rooms import wire


class RoomsApi:
    """The endpoints under /room."""

    def __init__(self, rooms: RoomService) -> None:
        self._rooms = rooms

    def routes(self) -> tuple[Route, ...]:
        create = command(wire.read_new_room, self.create)
        invite = command(wire.read_invitation, self.invite)
        leave = command(wire.read_leaving, self.leave)
        post = command(wire.read_new_post, self.post)
        seen = command(wire.read_seen, self.seen)
        return (
            Route("rooms.create", "POST", "/room/create", create, "write", NAMED),
            Route("rooms.list", "GET", "/room/list", authorized(self.list), "read", NAMED),
            Route("rooms.info", "GET", "/room/info/{room}", authorized(self.info), "read", NAMED),
            Route("rooms.invite", "POST", "/room/invite/{room}", invite, "write", NAMED),
            Route("rooms.leave", "POST", "/room/leave/{room}", leave, "write", NAMED),
            Route("rooms.post", "POST", "/room/post/{room}", post, "write", NAMED),
            Route("rooms.read", "GET", "/room/read/{post}", authorized(self.read), "read", NAMED),
            Route("rooms.read_all", "GET", "/room/readAll/{room}", authorized(self.read_all), "read", NAMED),
            Route("rooms.seen", "POST", "/room/seen/{room}", seen, "write", NAMED),
        )

    # --- changes
    async def create(
        self, _: Request, token: SecretHash, body: wire.NewRoom, idempotency: Idempotency | None
    ) -> Answer:
        room = await self._rooms.create(token, body.name, body.other_users, idempotency)
        return room if isinstance(room, Refusal) else json({"roomId": room})

    async def invite(
        self, request: Request, token: SecretHash, body: wire.Invitation, idempotency: Idempotency | None
    ) -> Answer:
        room = request.params["room"]
        return await self._rooms.invite(token, room, body.other_users, idempotency) or NO_CONTENT

    async def leave(
        self, request: Request, token: SecretHash, _: wire.Leaving, idempotency: Idempotency | None
    ) -> Answer:
        return await self._rooms.leave(token, request.params["room"], idempotency) or NO_CONTENT

    async def post(
        self, request: Request, token: SecretHash, body: wire.PostDraft, idempotency: Idempotency | None
    ) -> Answer:
        post = await self._rooms.post(token, request.params["room"], body.content, idempotency)
        return post if isinstance(post, Refusal) else json({"postId": post})

    async def seen(
        self, request: Request, token: SecretHash, body: wire.Seen, idempotency: Idempotency | None
    ) -> Answer:
        return await self._rooms.seen(token, request.params["room"], body.post_id, idempotency) or NO_CONTENT

    # --- looking
    async def list(self, _: Request, token: SecretHash) -> Answer:
        rooms = await self._rooms.list(token)
        if isinstance(rooms, Refusal):
            return rooms
        return json({"rooms": [wire.room_summary(room) for room in rooms]})

    async def info(self, request: Request, token: SecretHash) -> Answer:
        detail = await self._rooms.info(token, request.params["room"])
        if isinstance(detail, Refusal):
            return detail
        with_last_post = _query(request).get("getLastPost") == "true"
        return json({"room": wire.room_body(detail, with_last_post=with_last_post)})

    async def read(self, request: Request, token: SecretHash) -> Answer:
        post = await self._rooms.read(token, request.params["post"])
        return post if isinstance(post, Refusal) else json({"post": wire.post_body(post)})

    async def read_all(self, request: Request, token: SecretHash) -> Answer:
        query = _query(request)
        before = _optional_post(query.get("before"))
        limit = parse_id(query.get("limit", str(MAX_POSTS_LISTED)))
        if isinstance(before, BadId) or limit is None:
            return BadId()
        page = await self._rooms.read_all(token, request.params["room"], before, min(limit, MAX_POSTS_LISTED))
        if isinstance(page, Refusal):
            return page
        return json({"posts": [wire.listed_post(post) for post in page.posts], "more": page.more})


def _query(request: Request) -> dict[str, str]:
    """The query's parameters; of a repeated one the last counts."""
    return dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))


def _optional_post(text: str | None) -> PostId | BadId | None:
    if text is None:
        return None
    number = parse_id(text)
    return BadId() if number is None else PostId(number)
