"""WS /room/websocket: admits a listener, sends what it missed, and joins it to the live stream.

    authorize → enter → snapshot → attach to the broker → 101 → live                            without `since`
    authorize → enter → 101 → Resumed → what was missed, from the log → attach → live           with it

A plain socket is attached before its handshake is answered, so it hears everything after the answer. A resuming socket
hears everything after its cursor: it reads the log at its own pace and joins the live stream where the log ends. A socket
lives until the client closes it, the token ends or the account is deleted.
"""

from collections.abc import Mapping

import msgspec
import trio

from regserver import errors
from regserver.domain.account import AccountId
from regserver.domain.cursor import CursorSeal
from regserver.domain.outcome import (
    BadAuthType,
    BadCursor,
    MissingToken,
    Refusal,
    TooManySockets,
)
from regserver.domain.room_event import Position, audience
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import CloseCode, Request, SocketSession
from regserver.group import unwrapped
from regserver.ports.broker import Broker
from regserver.ports.store import StoreFault
from regserver.ports.subscriber import FrameKind
from regserver.service.identity_service import Session as SignedInSession
from regserver.service.recovery_service import Page, RecoveryService
from regserver.service.room_admission import RoomAdmission, Unadmitted
from regserver.web.http.bearer import bearer_in
from regserver.web.http.route import SocketRoute
from regserver.web.rooms.listen_wire import ListenWish, read_listen_wish
from regserver.web.rooms.notification import Resumed, RoomFrame, encode, encode_resumable

BURST_BYTES = 64 * 1024
"""So much of the past is sent before the client must have taken it. Well below the bound of a session's queue, which
live frames and pings share."""
STALL_SECONDS = 30.0
SLICE = 20
"""Events of the past between two checkpoints: a fraction of a millisecond."""


class RoomSubscriber:
    """One socket, as the broker sees it."""

    __slots__ = ("account", "echo", "edits", "expires_at", "kind", "presence", "receiver", "seen", "token")

    def __init__(self, session: SocketSession, asked: "ListenRequest") -> None:
        self.receiver = session
        self.echo = asked.echo
        self.edits = asked.edits
        self.presence = asked.presence
        self.seen = asked.seen
        self.account: AccountId = asked.signed_in.account
        self.token: SecretHash = asked.signed_in.token
        self.expires_at = asked.signed_in.expires_at
        self.kind: FrameKind = "plain" if asked.since is None else "resumable"

    def end_nowait(self, reason: Refusal | None) -> None:
        """Closes the socket. reason: sent to the client first, unless None."""
        end(self.receiver, reason)

    def cut_nowait(self) -> None:
        """Closes the socket. The client reconnects with its last cursor and reads recovered: false where that is due."""
        self.receiver.accept_nowait()
        self.receiver.close_nowait(CloseCode.TRY_AGAIN_LATER, "the log was cut")


class ListenRequest(msgspec.Struct, frozen=True):
    """Who listens, and from where. since: None asks for no past; (None,) for a cursor first, then the stream from now on.

    echo: whether to hear of the account's own actions. edits: whether to hear of edited and deleted posts. presence: whether to be present, and to hear who is.
    seen: whether to hear how far the account has read.
    """

    signed_in: SignedInSession
    since: tuple[Position | None] | None
    echo: bool
    edits: bool
    presence: bool
    seen: bool


def end(session: SocketSession, reason: Refusal | None) -> None:
    """Tells the reason in one bare text frame (seed, room protocol) and closes; answers an open handshake first."""
    session.accept_nowait()
    if reason is not None:
        session.send_text_nowait(errors.name(reason))
    code = CloseCode.TRY_AGAIN_LATER if isinstance(reason, TooManySockets) else CloseCode.POLICY_VIOLATION
    session.close_nowait(code, "" if reason is None else errors.name(reason))


async def _watch(session: SocketSession, catching_up: trio.CancelScope) -> None:
    await session.wait_closed()
    catching_up.cancel()


class RoomSocketApi(msgspec.Struct, frozen=True):
    """The WebSocket of the rooms.

    seal: of cursors. query_token: whether `?token=` is taken; tickets and the Authorization field always are.
    max_sockets: of one account.
    """

    admission: RoomAdmission
    recovery: RecoveryService
    broker: Broker
    seal: CursorSeal
    query_token: bool
    max_sockets: int

    def sockets(self) -> tuple[SocketRoute, ...]:
        """The one."""
        return (
            SocketRoute(
                "rooms.listen", "/room/websocket", self.listen, "socket", RoomFrame, ListenWish, self._admit
            ),
        )

    async def listen(self, session: SocketSession, _: Mapping[str, str]) -> None:
        """Serves one socket to its end."""
        asked = await self._admit(session.request)
        if isinstance(asked, Refusal):
            return end(session, asked)
        subscriber, since = RoomSubscriber(session, asked), asked.since
        del asked  # or this frame would keep it for the whole life of the socket
        self.broker.enter_nowait(subscriber)
        try:
            if since is None:
                await self._begin(session, subscriber)
            else:
                await self._resume(session, subscriber, *since)
            await session.wait_closed()
        finally:
            self.broker.detach_nowait(subscriber)
            self.admission.note_use(subscriber.token)
        return None

    # --- without a past
    async def _begin(self, session: SocketSession, subscriber: RoomSubscriber) -> None:
        """Attaches the socket to the rooms of a snapshot.

        Events may come between snapshot and attaching. The broker adds them from those it remembers; when it has
        forgotten some it refuses, and a new snapshot is taken.
        """
        while True:
            start = await self.recovery.beginning(subscriber.token)
            if isinstance(start, Refusal):
                return end(session, start)
            if self.broker.attach_nowait(subscriber, start.rooms, start.position.id):
                return session.accept_nowait()

    # --- with one
    async def _resume(
        self, session: SocketSession, subscriber: RoomSubscriber, since: Position | None
    ) -> None:
        session.accept_nowait()
        async with self.recovery.turns:
            start = await self.recovery.begin(
                subscriber.token, since, echo=subscriber.echo, edits=subscriber.edits
            )
        if isinstance(start, Refusal):
            return end(session, start)
        resumed = Resumed(self.seal.write(start.start), start.recovered, start.missed)
        session.send_text_nowait(encode(resumed))
        with unwrapped(StoreFault):
            async with trio.open_nursery() as nursery:
                # Only a reading task notices that the client has disconnected.
                nursery.start_soon(_watch, session, nursery.cancel_scope)
                await self._catch_up(session, subscriber, start.start)
                nursery.cancel_scope.cancel()
        return None

    async def _catch_up(self, session: SocketSession, subscriber: RoomSubscriber, start: Position) -> None:
        reader = self.recovery.reader(subscriber.account, start, echo=subscriber.echo, edits=subscriber.edits)
        while True:
            async with self.recovery.turns:
                if (page := await reader.next()) is None:
                    break
                texts = await self._encode(page, subscriber)
            waited = await self._send(session, texts)
            # While the client was slow to take this page, events may have come behind it: read once more before joining.
            fresh = page.rooms is not None and not waited
            if fresh and self.broker.attach_nowait(subscriber, page.rooms or (), page.end):
                return
        # Between two pages old events were deleted, or the newest were lost.
        subscriber.cut_nowait()

    async def _encode(self, page: Page, subscriber: RoomSubscriber) -> list[bytes]:
        texts = []
        for number, event in enumerate(page.events, 1):
            role = audience(event, subscriber.account, echo=subscriber.echo, edits=subscriber.edits)
            if role is not None:
                texts.append(encode_resumable(event, role, self.seal))
            if number % SLICE == 0:
                await trio.lowlevel.checkpoint()
        return texts

    async def _send(self, session: SocketSession, texts: list[bytes]) -> bool:
        """Sends a page at the client's pace. True when the client had to be waited for."""
        queued, waited = 0, False
        for number, text in enumerate(texts, 1):
            if queued and queued + len(text) > BURST_BYTES:
                await self._drained(session)
                queued, waited = 0, True
            queued += len(text)
            session.send_text_nowait(text)
            if number % SLICE == 0:
                await trio.lowlevel.checkpoint()
        if queued > BURST_BYTES // 2:
            await self._drained(session)
            waited = True
        return waited

    async def _drained(self, session: SocketSession) -> None:
        with trio.move_on_after(STALL_SECONDS) as patience:
            await session.drained()
        if patience.cancelled_caught:
            session.close_nowait(CloseCode.TRY_AGAIN_LATER, "too slow")

    # --- who it is
    async def _admit(
        self, request: Request
    ) -> ListenRequest | MissingToken | BadAuthType | Unadmitted | TooManySockets | BadCursor:
        wish = read_listen_wish(request)
        signed_in = await self._authorize(request, wish)
        if isinstance(signed_in, Refusal):
            return signed_in
        # Without a checkpoint until the socket enters the broker.
        if self.broker.count(signed_in.account) >= self.max_sockets:
            return TooManySockets()
        position = self.seal.read(wish.since) if wish.since else None
        if wish.since and position is None:
            return BadCursor()
        since = None if wish.since is None else (position,)
        return ListenRequest(signed_in, since, wish.echo, wish.edits, wish.presence, wish.seen)

    async def _authorize(
        self, request: Request, wish: ListenWish
    ) -> SignedInSession | MissingToken | BadAuthType | Unadmitted:
        if wish.ticket:
            return await self.admission.redeem_ticket(hash_secret(wish.ticket))
        if (field := request.headers.get("authorization")) is not None:
            token = bearer_in(field)
        elif self.query_token and wish.token:
            token = hash_secret(wish.token)
        else:
            return MissingToken()
        return token if isinstance(token, Refusal) else await self.admission.session(token)
