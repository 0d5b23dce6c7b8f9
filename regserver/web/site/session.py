"""`/session`: whether this browser is signed in, and the cookie by which it stays so. See regserver.web.http.session_cookie."""

import msgspec

from regserver.domain.instant import SECOND
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request, Response
from regserver.ports.clock import Clock
from regserver.service.account_service import AccountService
from regserver.service.identity_service import IdentityService, Session, Unidentified
from regserver.web.http.bearer import bearer, bearer_text, optional_bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.http.session_cookie import SESSION, CookieJar
from regserver.web.sign_in.wire import read_sign_out_scope

_encode = msgspec.json.Encoder().encode


class BrowserSessionApi(msgspec.Struct, frozen=True):
    """The session of a browser; only pages ask for it."""

    identity: IdentityService
    accounts: AccountService
    forwarded: ForwardedReader
    clock: Clock

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        keep = pipeline(self.keep, bearer)
        return (
            Route("session.show", "GET", "/session", self.show, "read", described=False),
            Route("session.keep", "POST", "/session", keep, "write", described=False),
            Route("session.end", "DELETE", "/session", self.end, "write", described=False),
        )

    async def show(self, request: Request) -> Response:
        """Who is signed in by the cookie: 200 {"userId", "mark"}, null for nobody; then the cookie goes."""
        token, jar = optional_bearer(request), self.jar(request)
        session = None if token is None else await self.identity.session(token)
        if session is None or isinstance(session, Refusal):
            return _shown(None, *((jar.drop(SESSION),) if jar.read(SESSION) else ()))
        return _shown(session)

    async def keep(self, request: Request, token: SecretHash) -> Response | Unidentified:
        """Puts the session of the request's token into a cookie; another one that this browser had ends."""
        session = await self.identity.session(token)
        if isinstance(session, Refusal):
            return session
        jar = self.jar(request)
        earlier = jar.read(SESSION)
        if earlier and hash_secret(earlier) != token:
            await self.accounts.sign_out(hash_secret(earlier), everywhere=False)
        seconds = (session.expires_at - self.clock.now()) // SECOND
        return _shown(session, jar.keep(SESSION, bearer_text(request), seconds))

    async def end(self, request: Request) -> Response:
        """Signs out, with ?all=true everywhere. The cookie goes, whether its session was there or not."""
        token = optional_bearer(request)
        if token is not None:
            await self.accounts.sign_out(token, everywhere=read_sign_out_scope(request).all)
        return Response(status=204, content_type="", headers=(self.jar(request).drop(SESSION),))

    def jar(self, request: Request) -> CookieJar:
        """The cookies of a request."""
        return CookieJar.of(request, self.forwarded.read(request).base)


def _shown(session: Session | None, *fields: tuple[str, str]) -> Response:
    """mark: by which pages tell sessions apart; the beginning of a hash, so that it is good for nothing else."""
    shown = (None, None) if session is None else (session.account, session.token.hex()[:16])
    return Response(body=_encode(dict(zip(("userId", "mark"), shown, strict=True))), headers=fields)
