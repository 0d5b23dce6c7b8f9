"""Sign-in and sign-out: POST /login, which may answer with where a registration can be watched."""

from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.account_service import AccountService
from regserver.service.identity_service import SignedIn, Unidentified
from regserver.service.sign_in_service import Registering, SignInRefusal, SignInService
from regserver.text import Language
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import wire


class SignInApi:
    """The endpoints of this door."""

    def __init__(self, sign_in: SignInService, accounts: AccountService, forwarded: ForwardedReader) -> None:
        self._sign_in = sign_in
        self._accounts = accounts
        self._forwarded = forwarded

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        login = pipeline(self.login, wire.read_credentials, wire.read_preference, language_of)
        sign_out = pipeline(self.sign_out, bearer, wire.read_sign_out_scope)
        return (
            Route("sign_in.login", "POST", "/login", login, "sign_in"),
            Route("sign_in.user_login", "POST", "/user/login", login, "sign_in"),
            Route("sign_in.sign_out", "DELETE", "/login/token", sign_out, "write"),
        )

    async def login(
        self, request: Request, body: wire.Credentials, preference: wire.Preference, language: Language
    ) -> wire.SessionOpened | wire.RegistrationRunning | wire.RegistrationAccepted | SignInRefusal:
        """Sign in.

        The first sign-in of a person whom the data source knows starts a registration, which can be watched.
        """
        outcome = await self._sign_in.sign_in(body.username, body.password, language)
        match outcome:
            case SignedIn():
                return wire.SessionOpened.of(outcome)
            case Registering():
                location = f"{self._forwarded.read(request).socket_base}/register/{outcome.registration}"
                answer = wire.RegistrationAccepted if preference.respond_async else wire.RegistrationRunning
                return answer(location)
            case _:
                return outcome

    async def sign_out(self, _: Request, token: SecretHash, scope: wire.SignOutScope) -> Unidentified | None:
        """Sign out: the token ends."""
        return await self._accounts.sign_out(token, everywhere=scope.all)
