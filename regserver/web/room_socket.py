"""WS /room/websocket: who may listen, and for how long.

    authorize → read the rooms and the log's position from one snapshot → attach to the broker → 101 → live

The socket is attached before its handshake is answered, so it hears everything from that moment on. It lives until the
client goes, the token ends, or the account does.
"""

import urllib.parse
from collections.abc import Mapping

import trio

from regserver import errors
from regserver.domain.account import AccountId
from regserver.domain.outcome import BadToken, MissingToken, Refusal
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request, Session
from regserver.ports.adapter import Clock
from regserver.ports.broker import Broker
from regserver.service.identity import IdentityService
from regserver.service.identity import Session as SignedInSession
from regserver.service.room import RoomService
from regserver.web.bearer import bearer
from regserver.web.route import SocketRoute

POLICY_VIOLATION = 1008
LONGEST_SLEEP_SECONDS = 86_400.0


class RoomSubscriber:
    """One socket, as the broker sees it."""

    __slots__ = ("_session", "account", "send_nowait", "token")

    def __init__(self, session: Session, account: AccountId, token: SecretHash) -> None:
        self._session = session
        self.account = account
        self.token = token
        self.send_nowait = session.send_nowait

    def end_nowait(self, reason: Refusal | None) -> None:
        end(self._session, reason)


def end(session: Session, reason: Refusal | None) -> None:
    """Says why in one bare text frame, as the seed has it, and closes."""
    if reason is not None:
        session.send_text_nowait(errors.name(reason))
    session.close_nowait(POLICY_VIOLATION, "" if reason is None else errors.name(reason))


class RoomSocketDoor:
    """query_token: whether `?token=` is taken; tickets and the Authorization field always are."""

    def __init__(
        self,
        identity: IdentityService,
        rooms: RoomService,
        broker: Broker,
        clock: Clock,
        *,
        query_token: bool,
    ) -> None:
        self._identity = identity
        self._rooms = rooms
        self._broker = broker
        self._clock = clock
        self._query_token = query_token

    def sockets(self) -> tuple[SocketRoute, ...]:
        return (SocketRoute("/room/websocket", self.listen, "socket"),)

    async def listen(self, session: Session, _: Mapping[str, str]) -> None:
        signed_in = await self._authorize(session.request)
        if isinstance(signed_in, Refusal):
            session.accept_nowait()
            return end(session, signed_in)
        subscriber = RoomSubscriber(session, signed_in.account, signed_in.token)
        await self._attach(subscriber)
        try:
            session.accept_nowait()
            await self._live(session, signed_in)
        finally:
            self._broker.detach_nowait(subscriber)
        return None

    async def _attach(self, subscriber: RoomSubscriber) -> None:
        """Between snapshot and attaching there is a moment; the broker fills it from its recent events, or asks again."""
        while True:
            start = await self._rooms.rooms_as_of(subscriber.account)
            if self._broker.attach_nowait(subscriber, start.rooms, start.as_of):
                return

    async def _live(self, session: Session, signed_in: SignedInSession) -> None:
        while (left := (signed_in.expires_at - self._clock.now()) / 1000) > 0:
            with trio.move_on_after(min(left, LONGEST_SLEEP_SECONDS)) as patience:
                await session.wait_closed()
            if not patience.cancelled_caught:
                return
        end(session, BadToken())

    async def _authorize(self, request: Request) -> SignedInSession | Refusal:
        query = dict(urllib.parse.parse_qsl(request.query))
        if ticket := query.get("ticket"):
            return await self._identity.redeem_ticket(hash_secret(ticket))
        token = self._token(request, query.get("token"))
        return token if isinstance(token, Refusal) else await self._identity.session(token)

    def _token(self, request: Request, in_query: str | None) -> SecretHash | Refusal:
        if "authorization" in request.headers:
            return bearer(request)
        return hash_secret(in_query) if self._query_token and in_query else MissingToken()
