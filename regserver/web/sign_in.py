"""Sign-in and live registration: POST /login, the socket that watches a registration, sign-out."""

import urllib.parse
from collections.abc import Mapping

import msgspec
import trio

from regserver.domain.live import Event
from regserver.domain.outcome import BadContentType, BadJson, Refusal
from regserver.endpoint import Request, Response, Session
from regserver.service.account import AccountService
from regserver.service.identity import SignedIn
from regserver.service.live import Job, LiveService
from regserver.service.sign_in import Registering, SignInService
from regserver.web.answer import NAMED, NO_CONTENT, json
from regserver.web.bearer import bearer
from regserver.web.body import read_object
from regserver.web.client import OriginReader
from regserver.web.route import Route, SocketRoute

UNKNOWN_REGISTRATION = 1008
FINISHED = 1000
GOING_AWAY = 1001

_encode_event = msgspec.json.Encoder().encode


class SignedInBody(msgspec.Struct, frozen=True, rename="camel"):
    user_id: int
    token: str
    expires_in: int


class RegisteringBody(msgspec.Struct, frozen=True):
    location: str


class SignInDoor:
    """The endpoints of this door."""

    def __init__(
        self, sign_in: SignInService, live: LiveService, accounts: AccountService, origins: OriginReader
    ) -> None:
        self._sign_in = sign_in
        self._live = live
        self._accounts = accounts
        self._origins = origins

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/login", self.login, "sign_in", NAMED, hot=True),
            Route("POST", "/user/login", self.login, "sign_in", NAMED, hot=True),
            Route("DELETE", "/login/token", self.sign_out, "write", NAMED),
        )

    def sockets(self) -> tuple[SocketRoute, ...]:
        return (SocketRoute("/register/{registration}", self.watch, "socket"),)

    async def login(self, request: Request) -> Response:
        """200 with a token, 303 (or 202 on `Prefer: respond-async`) with where to watch, or a refusal."""
        body = read_object(request)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        username, password = body.get("username"), body.get("password")
        if not (isinstance(username, str) and isinstance(password, str) and username and password):
            return NAMED.refuse(BadJson())
        outcome = await self._sign_in.sign_in(username, password)
        if isinstance(outcome, Refusal):
            return NAMED.refuse(outcome)
        if isinstance(outcome, SignedIn):
            return signed_in(outcome)
        return self._registering(request, outcome)

    def _registering(self, request: Request, outcome: Registering) -> Response:
        location = f"{self._origins.read(request).socket_base}/register/{outcome.registration}"
        # Browser code may not see the Location of a redirect, and would follow it: 202 is for them (RFC 7240).
        status, applied = (
            (202, (("preference-applied", "respond-async"),)) if _prefers_async(request) else (303, ())
        )
        return json(RegisteringBody(location), status, (("location", location), *applied))

    async def sign_out(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        everywhere = urllib.parse.parse_qs(request.query).get("all") == ["true"]
        refusal = await self._accounts.sign_out(token, everywhere=everywhere)
        return NO_CONTENT if refusal is None else NAMED.refuse(refusal)

    async def watch(self, session: Session, params: Mapping[str, str]) -> None:
        """The history from the first event, then what comes; the observer's pace is nobody else's concern."""
        session.accept_nowait()
        job = self._live.job(params["registration"])
        if job is None:
            return session.close_nowait(UNKNOWN_REGISTRATION, "unknown registration")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_show, session, job)
            await session.wait_closed()  # whoever has gone needs no more events
            nursery.cancel_scope.cancel()
        return None


async def _show(session: Session, job: Job) -> None:
    async for event in job.events():
        if not session.send_text_nowait(encode_event(event)):
            return
    session.close_nowait(GOING_AWAY if job.interrupted else FINISHED)


def encode_event(event: Event) -> bytes:
    """One frame's text, with exactly the seed's keys."""
    return _encode_event(event)


def signed_in(outcome: SignedIn, status: int = 200) -> Response:
    """The answer of every route that hands out a token."""
    return json(SignedInBody(outcome.user_id, outcome.token, outcome.expires_in), status)


def _prefers_async(request: Request) -> bool:
    preferences = request.headers.get("prefer", "").split(",")
    return any(preference.partition(";")[0].strip().lower() == "respond-async" for preference in preferences)
