"""The endpoints of an account's authenticator app, and the second step of a sign-in."""

import msgspec

from regserver.domain.outcome import BadCode, BadCredentials, FactorExists, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.factor_service import FactorRefusal, FactorService
from regserver.service.identity_service import Unidentified
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import factor_wire as wire
from regserver.web.sign_in.wire import SessionOpened


class FactorApi(msgspec.Struct, frozen=True):
    """Second factors."""

    factors: FactorService

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        confirm = pipeline(self.confirm, bearer, wire.read_first_code)
        remove = pipeline(self.remove, bearer, wire.read_removal)
        sign_in = pipeline(self.sign_in, wire.read_second_step)
        return (
            Route("account.factors", "GET", "/login/factors", pipeline(self.list, bearer), "read"),
            Route("account.begin_totp", "POST", "/login/totp", pipeline(self.enrol, bearer), "write"),
            Route("account.confirm_totp", "POST", "/login/totp/confirm", confirm, "sign_in"),
            Route("account.remove_totp", "DELETE", "/login/totp", remove, "sign_in", hashes=True),
            Route("sign_in.factor", "POST", "/login/factor", sign_in, "sign_in"),
        )

    async def list(self, _: Request, token: SecretHash) -> wire.FactorList | Unidentified:
        """Show the asker's second factor and passkeys."""
        found = await self.factors.list(token)
        return found if isinstance(found, Refusal) else wire.FactorList.of(found)

    async def enrol(self, _: Request, token: SecretHash) -> wire.TotpBegun | FactorExists | Unidentified:
        """Begin with an authenticator app. Nothing changes until a first code is confirmed."""
        outcome = await self.factors.enrol(token)
        return outcome if isinstance(outcome, Refusal) else wire.TotpBegun.of(outcome)

    async def confirm(
        self, request: Request, token: SecretHash, body: wire.FirstCode
    ) -> wire.TotpOn | BadCode | FactorExists | TooManyRequests | Unidentified:
        """Switch the app on with a first code. Other sessions end."""
        asker = asker_of(request, language_of(request))
        outcome = await self.factors.confirm(token, body.code, asker)
        return outcome if isinstance(outcome, Refusal) else wire.TotpOn(outcome)

    async def remove(
        self, request: Request, token: SecretHash, body: wire.Removal
    ) -> BadCredentials | TooManyRequests | Unidentified | None:
        """Switch the app off. Other sessions end, and recovery codes are gone."""
        asker = asker_of(request, language_of(request))
        return await self.factors.remove(token, body.password, asker)

    async def sign_in(self, request: Request, body: wire.SecondStep) -> SessionOpened | FactorRefusal:
        """Sign in with the ticket that a right password was answered with, and a code."""
        asker = asker_of(request, language_of(request))
        outcome = await self.factors.sign_in(body.ticket, body.code, asker)
        return outcome if isinstance(outcome, Refusal) else SessionOpened.of(outcome)
