"""The client on Trio: the doors, and what is heard from the server."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from regserver.client.api import DEADLINE, PATIENCE, Doors
from regserver.client.event import RoomEvents, Wish
from regserver.client.pause import Pauses
from regserver.client.registration import Registration
from regserver.client.socket import OpenSockets
from regserver.client.wire import Session
from regserver.group import unwrapped


class Client(Doors):
    """Made by `open_client`."""

    _sockets: OpenSockets

    async def sign_in(self, username: str, password: str, *, invitation: str = "") -> Session | Registration:
        """Signs in. Somebody new gets a Registration, which is iterated to its end and then has the session.

        Raises BadCredentials, SecondFactorRequired, UserIsDeleted, SourceUnavailable, TooManyRequests…
        """
        answer = await self.ask_to_sign_in(username, password, invitation=invitation)
        return answer if isinstance(answer, Session) else self.watch(answer)

    def watch(self, location: str) -> Registration:
        """A registration that was begun elsewhere. location: of its WebSocket."""
        return Registration(self._transport, self._sockets, location, Pauses(PATIENCE))

    def events(
        self,
        since: str | None = None,
        *,
        echo: bool = False,
        edits: bool = False,
        seen: bool = False,
        presence: bool = False,
        patience: float = float("inf"),
    ) -> RoomEvents:
        """The notifications of one's rooms, over lost connections. since: a cursor; None for what happens from now on.

        echo: one's own actions, too. edits: PostEdited, PostDeleted and RoomRenamed, too. seen: Seen, too. presence: Presence and Typing, too. patience: seconds without the server, then Unreachable.
        """
        wish = Wish(since, echo, edits, seen, presence)
        return RoomEvents(self._transport, self._sockets, wish, Pauses(patience))


@asynccontextmanager
async def open_client(
    url: str,
    token: str | None = None,
    *,
    patience: float = PATIENCE,
    deadline: float = DEADLINE,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Client]:
    """A client of the server at this address; leaving closes its connections. See Doors."""
    with unwrapped(Exception):  # whoever uses the client wants their own exceptions, not groups of one
        async with (
            Client(url, token, patience=patience, deadline=deadline, tls=tls) as client,
            trio.open_nursery() as nursery,
        ):
            client._sockets = OpenSockets(nursery)
            try:
                yield client
            finally:
                await client._sockets.aclose()
                nursery.cancel_scope.cancel()
