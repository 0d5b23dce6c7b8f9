"""What the owner of a room may do, over HTTP."""

import msgspec

from regserver.domain.outcome import AccountNotFound, BadId
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.room_owner_service import OwnerRefusal, RoomOwnerService
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import owner_wire as wire


class RoomOwnerApi(msgspec.Struct, frozen=True):
    """The two endpoints."""

    owners: RoomOwnerService

    def routes(self) -> tuple[Route, ...]:
        """Both."""
        rename = pipeline(self.rename, KeyedStep(wire.read_new_name), bearer)
        kick = pipeline(self.kick, KeyedStep(wire.read_removal), bearer)
        return (
            Route("rooms.rename", "POST", "/room/rename/{room}", rename, "write"),
            Route("rooms.kick", "POST", "/room/kick/{room}", kick, "write"),
        )

    async def rename(
        self, request: Request, asked: Keyed[wire.NewName], token: SecretHash
    ) -> OwnerRefusal | None:
        """Give a room of one's own another name."""
        return await self.owners.rename(token, request.params["room"], asked.body.name, asked.idempotency)

    async def kick(
        self, request: Request, asked: Keyed[wire.Kick], token: SecretHash
    ) -> OwnerRefusal | BadId | AccountNotFound | None:
        """Remove somebody from a room of one's own."""
        return await self.owners.remove(token, request.params["room"], asked.body.user_id, asked.idempotency)
