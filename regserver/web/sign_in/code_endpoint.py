"""The endpoints under /login/code: sign-in by a one-time code to a verified address or phone number."""

import msgspec

from regserver.domain.contact import Contact
from regserver.domain.instant import iso_millis
from regserver.domain.outcome import (
    BadCaptcha,
    BadCode,
    NotApproved,
    Refusal,
    SecondFactorRequired,
    TooManyRequests,
)
from regserver.endpoint import Request
from regserver.ports.captcha import CaptchaAnswer
from regserver.service.code_sign_in import CodeSignIn, CodeWish
from regserver.web.http.asker import asker_of
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import code_wire as wire
from regserver.web.sign_in.wire import SessionOpened


class CodeApi(msgspec.Struct, frozen=True):
    """Sign-in by codes."""

    codes: CodeSignIn

    def routes(self) -> tuple[Route, ...]:
        """Both."""
        ask, verify = pipeline(self.ask, wire.read_code_asked), pipeline(self.verify, wire.read_code_given)
        return (
            Route("sign_in.ask_code", "POST", "/login/code", ask, "mail"),
            Route("sign_in.code", "POST", "/login/code/verify", verify, "sign_in"),
        )

    async def ask(
        self, request: Request, body: wire.CodeAsked
    ) -> wire.CodeAccepted | wire.ContactRefusal | BadCaptcha | TooManyRequests:
        """Ask for a code to sign in with.

        The answer is always the same, whether the address or number is somebody's or not.
        """
        contact = wire.contact_of(body)
        if not isinstance(contact, Contact):
            return contact
        wish = CodeWish(contact, asker_of(request, language_of(request)))
        answer = CaptchaAnswer(body.captcha, body.captcha_type, request.client)
        outcome = await self.codes.ask(wish, answer)
        return outcome if isinstance(outcome, Refusal) else wire.CodeAccepted(iso_millis(outcome))

    async def verify(
        self, request: Request, body: wire.CodeGiven
    ) -> SessionOpened | SecondFactorRequired | NotApproved | BadCode | wire.ContactRefusal:
        """Sign in with the code that was sent."""
        contact = wire.contact_of(body)
        if not isinstance(contact, Contact):
            return contact
        asker = asker_of(request, language_of(request))
        outcome = await self.codes.verify(contact, body.code, asker)
        return outcome if isinstance(outcome, Refusal) else SessionOpened.of(outcome)
