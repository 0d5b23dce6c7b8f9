"""Moving the unread mark over HTTP."""

import msgspec

from regserver.domain.outcome import IdempotencyConflict, PostNotFound
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.room_service import NoAccess
from regserver.service.seen_service import SeenService
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import wire


class SeenApi(msgspec.Struct, frozen=True):
    """The one endpoint."""

    marks: SeenService

    def routes(self) -> tuple[Route, ...]:
        """It."""
        seen = pipeline(self.seen, KeyedStep(wire.read_seen), bearer)
        return (Route("rooms.seen", "POST", "/room/seen/{room}", seen, "write"),)

    async def seen(
        self, request: Request, asked: Keyed[wire.SeenMark], token: SecretHash
    ) -> NoAccess | PostNotFound | IdempotencyConflict | None:
        """Move the unread mark."""
        return await self.marks.seen(token, request.params["room"], asked.body.post_id, asked.idempotency)
