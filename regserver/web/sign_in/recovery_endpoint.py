"""The endpoints under /login/recover: a forgotten password is replaced by the link in a mail."""

import msgspec

from regserver.domain.outcome import (
    BadCaptcha,
    BadPassword,
    BadRecovery,
    NotApproved,
    Refusal,
    SecondFactorRequired,
    TooManyRequests,
)
from regserver.endpoint import Request
from regserver.ports.captcha import CaptchaAnswer
from regserver.service.account_recovery import AccountRecovery, RecoveryWish
from regserver.web.http.asker import asker_of
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import recovery_wire as wire
from regserver.web.sign_in.wire import SessionOpened


class RecoveryApi(msgspec.Struct, frozen=True):
    """Forgotten passwords."""

    recovery: AccountRecovery
    forwarded: ForwardedReader

    def routes(self) -> tuple[Route, ...]:
        """Both."""
        ask = pipeline(self.ask, wire.read_recovery)
        finish = pipeline(self.finish, wire.read_new_password)
        return (
            Route("account.recover", "POST", "/login/recover", ask, "mail"),
            Route("account.finish_recovery", "POST", "/login/recover/finish", finish, "sign_in", hashes=True),
        )

    async def ask(
        self, request: Request, body: wire.RecoveryAsked
    ) -> wire.RecoveryAccepted | BadCaptcha | TooManyRequests:
        """Ask for a mail with a link that sets a new password.

        The answer is always the same, whether there is such an account or not.
        """
        base = self.forwarded.read(request).base
        wish = RecoveryWish(body.email or body.username or "", language_of(request), base)
        answer = CaptchaAnswer(body.captcha, body.captcha_type, request.client)
        refusal = await self.recovery.ask(wish, answer)
        return wire.RecoveryAccepted() if refusal is None else refusal

    async def finish(
        self, request: Request, body: wire.NewPassword
    ) -> SessionOpened | SecondFactorRequired | NotApproved | BadRecovery | BadPassword:
        """Set a new password with the token of a recovery link, and sign in. All other sessions end."""
        asker = asker_of(request, language_of(request))
        outcome = await self.recovery.finish(body.token, body.password, asker)
        return outcome if isinstance(outcome, Refusal) else SessionOpened.of(outcome)
