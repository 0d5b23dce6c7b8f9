"""Whom people keep from bringing them into rooms, over HTTP."""

from regserver.domain.outcome import AccountNotFound, BadId, Refusal, TooManyBlocks
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.block_service import BlockService
from regserver.service.identity_service import Unidentified
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import membership_wire as wire


class BlockApi:
    """The endpoints of blocks."""

    def __init__(self, blocks: BlockService) -> None:
        self._blocks = blocks

    def routes(self) -> tuple[Route, ...]:
        """The routes of blocks."""
        pattern = "/login/block/{user_id}"
        return (
            Route("rooms.block", "POST", pattern, pipeline(self.add, bearer), "write"),
            Route("rooms.unblock", "DELETE", pattern, pipeline(self.remove, bearer), "write"),
            Route("rooms.blocks", "GET", "/login/blocks", pipeline(self.list, bearer), "read"),
        )

    async def add(
        self, request: Request, token: SecretHash
    ) -> Unidentified | BadId | AccountNotFound | TooManyBlocks | None:
        """Keep somebody from bringing the asker into rooms."""
        return await self._blocks.add(token, request.params["user_id"])

    async def remove(self, request: Request, token: SecretHash) -> Unidentified | BadId | None:
        """Let somebody bring the asker into rooms again."""
        return await self._blocks.remove(token, request.params["user_id"])

    async def list(self, _: Request, token: SecretHash) -> wire.BlockList | Unidentified:
        """List whom the asker keeps out."""
        blocks = await self._blocks.list(token)
        return blocks if isinstance(blocks, Refusal) else wire.BlockList(tuple(map(wire.block_body, blocks)))
