"""Sign-in and sign-out: POST /login, which may answer with where a registration can be watched."""

import urllib.parse

import msgspec

from regserver.domain.outcome import BadJson, Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request, Response
from regserver.service.account_service import AccountService
from regserver.service.identity_service import SignedIn
from regserver.service.sign_in_service import Registering, SignInService
from regserver.web.http.answer import NAMED, NO_CONTENT, json
from regserver.web.http.bearer import authorized
from regserver.web.http.body import read_object
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.route import Answer, Route


class SignedInBody(msgspec.Struct, frozen=True, rename="camel"):
    user_id: int
    token: str
    expires_in: int


class RegisteringBody(msgspec.Struct, frozen=True):
    location: str


class SignInApi:
    """The endpoints of this door."""

    def __init__(self, sign_in: SignInService, accounts: AccountService, forwarded: ForwardedReader) -> None:
        self._sign_in = sign_in
        self._accounts = accounts
        self._forwarded = forwarded

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("sign_in.login", "POST", "/login", self.login, "sign_in", NAMED),
            Route("sign_in.user_login", "POST", "/user/login", self.login, "sign_in", NAMED),
            Route("sign_in.sign_out", "DELETE", "/login/token", authorized(self.sign_out), "write", NAMED),
        )

    async def login(self, request: Request) -> Answer:
        """200 with a token, 303 (or 202 on `Prefer: respond-async`) with where to watch, or a refusal."""
        body = read_object(request)
        if isinstance(body, Refusal):
            return body
        username, password = body.get("username"), body.get("password")
        if not (isinstance(username, str) and isinstance(password, str) and username and password):
            return BadJson()
        outcome = await self._sign_in.sign_in(username, password, language_of(request))
        match outcome:
            case SignedIn():
                return signed_in(outcome)
            case Registering():
                return self._registering(request, outcome)
            case _:
                return outcome

    def _registering(self, request: Request, outcome: Registering) -> Response:
        location = f"{self._forwarded.read(request).socket_base}/register/{outcome.registration}"
        # Browser code may not see the Location of a redirect, and would follow it: 202 is for them (RFC 7240).
        if _prefers_async(request):
            headers = (("location", location), ("preference-applied", "respond-async"))
            return json(RegisteringBody(location), 202, headers)
        return json(RegisteringBody(location), 303, (("location", location),))

    async def sign_out(self, request: Request, token: SecretHash) -> Answer:
        everywhere = urllib.parse.parse_qs(request.query).get("all") == ["true"]
        return await self._accounts.sign_out(token, everywhere=everywhere) or NO_CONTENT


def signed_in(outcome: SignedIn, status: int = 200) -> Response:
    """The answer of every route that hands out a token."""
    return json(SignedInBody(outcome.user_id, outcome.token, outcome.expires_in), status)


def _prefers_async(request: Request) -> bool:
    preferences = request.headers.get("prefer", "").split(",")
    return any(preference.partition(";")[0].strip().lower() == "respond-async" for preference in preferences)
