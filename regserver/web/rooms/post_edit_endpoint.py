"""Editing and deleting posts over HTTP."""

import msgspec

from regserver.domain.outcome import QuotaExceeded
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.post_edit_service import EditRefusal, PostEditService
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import wire


class PostEditApi(msgspec.Struct, frozen=True):
    """The two endpoints."""

    edits: PostEditService

    def routes(self) -> tuple[Route, ...]:
        """Both."""
        edit = pipeline(self.edit, KeyedStep(wire.read_new_post), bearer)
        delete = pipeline(self.delete, KeyedStep(wire.read_leaving), bearer)
        return (
            Route("rooms.edit_post", "POST", "/room/edit/{post}", edit, "write"),
            Route("rooms.delete_post", "POST", "/room/delete/{post}", delete, "write"),
        )

    async def edit(
        self, request: Request, asked: Keyed[wire.PostDraft], token: SecretHash
    ) -> EditRefusal | QuotaExceeded | None:
        """Give one of the asker's posts another content."""
        return await self.edits.edit(token, request.params["post"], asked.body.content, asked.idempotency)

    async def delete(
        self, request: Request, asked: Keyed[wire.Leaving], token: SecretHash
    ) -> EditRefusal | None:
        """Delete one of the asker's posts."""
        return await self.edits.delete(token, request.params["post"], asked.idempotency)
