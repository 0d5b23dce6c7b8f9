"""Who signs up at the room door, and why they may be refused."""

import msgspec

from regserver.domain.outcome import (
    BadCaptcha,
    BadEmail,
    BadPassword,
    BadUsername,
    EmailTaken,
    IdempotencyConflict,
    InvitationRequired,
    RegistrationClosed,
    SecondFactorRequired,
    TooManyRequests,
    UsernameTaken,
)
from regserver.ports.captcha import CaptchaAnswer
from regserver.service.asker import Asker

SignUpRefusal = (
    BadEmail
    | BadUsername
    | BadPassword
    | BadCaptcha
    | UsernameTaken
    | EmailTaken
    | RegistrationClosed
    | InvitationRequired
    | SecondFactorRequired
    | IdempotencyConflict
    | TooManyRequests
)


class NewPerson(msgspec.Struct, frozen=True):
    """Who signs up, as they came. link_base: of the link in the mail that verifies the address."""

    username: str
    email: str
    password: str
    asker: Asker
    link_base: str
    answer: CaptchaAnswer = CaptchaAnswer()
    invitation: str | None = None

    def __repr__(self) -> str:
        return "NewPerson(…)"
