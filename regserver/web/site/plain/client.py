"""How the pages without scripts call the other doors: by the same requests that a script would send, without a connection.

So each limit, check and line of the log is that of the door.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from regserver.endpoint import Request, Response, StreamResponse

Serve = Callable[[Request], Awaitable[Response]]
"""The whole server; see Dispatcher.serve."""

DROPPED = frozenset(
    ("content-type", "content-length", "cookie", "authorization", "accept-encoding", "idempotency-key")
)
"""Fields of the browser's request that are not those of a door. What proxies add stays, for the limits by address."""
EVENTS_A_TURN = 64


class DoorAnswer(msgspec.Struct, frozen=True):
    """What a door has answered. retry_after: seconds; 0 without a word of it."""

    status: int
    body: dict[str, Any]
    retry_after: int = 0

    @property
    def code(self) -> str:
        """The name of a refusal; "" of other answers."""
        return str(self.body.get("error", "")) if self.status >= 400 else ""


class DoorClient(msgspec.Struct, frozen=True):
    """Calls doors in the name of whoever sent a request."""

    serve: Serve

    async def ask(
        self,
        request: Request,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        body: dict[str, Any] | None = None,
        token: str = "",
    ) -> DoorAnswer:
        """token: of the session, if there is one."""
        fields = {"authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            fields["content-type"] = "application/json"
        response = await self._serve(request, method, path, {**fields, "prefer": "respond-async"}, body)
        found = msgspec.json.decode(response.body) if response.body else {}
        wait = next((int(value) for name, value in response.headers if name == "retry-after"), 0)
        return DoorAnswer(response.status, found if isinstance(found, dict) else {}, wait)

    async def events(self, request: Request, registration: str) -> list[dict[str, Any]] | None:
        """What has happened in a registration so far; None for an unknown one."""
        events: list[dict[str, Any]] = []
        while True:
            fields = {"last-event-id": str(len(events))} if events else {}
            path = f"/register/{registration}/events"
            response = await self._serve(request, "GET", path, fields, None)
            if isinstance(response, StreamResponse):
                await response.stream.aclose()  # only what is there already is shown
            if response.status >= 400:
                return None
            lines = response.body.decode().splitlines()
            more = [msgspec.json.decode(line[6:]) for line in lines if line.startswith("data: ")]
            events += more
            if len(more) < EVENTS_A_TURN:
                return events

    async def _serve(
        self, request: Request, method: str, path: str, fields: dict[str, str], body: dict[str, Any] | None
    ) -> Response:
        kept = {name: value for name, value in request.headers.items() if name not in DROPPED}
        return await self.serve(
            msgspec.structs.replace(
                request,
                method=method,
                path=path,
                headers={**kept, **fields},
                body=b"" if body is None else msgspec.json.encode(body),
                params={},
                is_admitted=False,
            )
        )
