"""The endpoints of sessions: a person sees them, ends one, and makes tokens for programs."""

from regserver.domain.outcome import Refusal, SessionNotFound
from regserver.domain.secret import SecretHash
from regserver.domain.session import SessionId
from regserver.endpoint import Request
from regserver.service.identity_service import Unidentified
from regserver.service.session_service import NamedTokenRefusal, NamedTokenWish, SessionService
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import session_wire as wire


class SessionApi:
    """Sessions and named tokens."""

    def __init__(self, sessions: SessionService) -> None:
        self._sessions = sessions

    def routes(self) -> tuple[Route, ...]:
        """All of them; sign-out is with sign-in."""
        end = pipeline(self.end, bearer, wire.read_session_id)
        add = pipeline(self.add, wire.read_named_token, bearer)
        return (
            Route("account.sessions", "GET", "/login/sessions", pipeline(self.list, bearer), "read"),
            Route("account.end_session", "DELETE", "/login/sessions/{session_id}", end, "write"),
            Route("account.add_token", "POST", "/login/tokens", add, "write"),
        )

    async def list(self, _: Request, token: SecretHash) -> wire.SessionsShown | Unidentified:
        """List the asker's sessions and named tokens."""
        views = await self._sessions.list(token)
        if isinstance(views, Refusal):
            return views
        return wire.SessionsShown(tuple(map(wire.session_body, views)))

    async def end(
        self, _: Request, token: SecretHash, session: SessionId
    ) -> Unidentified | SessionNotFound | None:
        """End one of the asker's sessions. Its WebSockets close, those of other sessions stay."""
        return await self._sessions.end(token, session)

    async def add(
        self, request: Request, body: wire.NamedToken, token: SecretHash
    ) -> wire.NamedTokenMade | Unidentified | NamedTokenRefusal:
        """Make a token for a program, with a name and a life of its own."""
        wish, asker = NamedTokenWish(body.name, body.expires_in), asker_of(request, "")
        made = await self._sessions.add_named(token, wish, asker)
        return made if isinstance(made, Refusal) else wire.NamedTokenMade(made.session_id, made.token)
