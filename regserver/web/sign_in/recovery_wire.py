"""Recovery on the wire."""

from typing import Annotated, ClassVar

from regserver.domain.invisible import trim_name
from regserver.domain.outcome import BadJson, BadPassword, Refusal
from regserver.endpoint import Request
from regserver.web.captcha.wire import CaptchaField, CaptchaTypeField, captcha_answer
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import EmailField, PasswordField, UsernameField, described
from regserver.web.http.pipeline import RequestBody


class RecoveryAsked(RequestBody, frozen=True, rename="camel"):
    """Whose password is forgotten: one of both. The user name may also be the account's verified address."""

    email: EmailField | None = None
    username: UsernameField | None = None
    captcha: CaptchaField = ""
    captcha_type: CaptchaTypeField = "web"


class NewPassword(RequestBody, frozen=True):
    """The secret of a recovery link, and the password that it sets."""

    token: Annotated[str, described("What stands behind the # of the link.", "regl_0123abcd", min_length=1)]
    password: PasswordField


class RecoveryAccepted(JsonAnswer, frozen=True):
    """If there is such an account, and it has a verified address, a mail is on its way."""

    http_status: ClassVar[int] = 202


def read_recovery(request: Request) -> RecoveryAsked | Unreadable:
    """A body without a text for either is BadJson; with both, the address counts."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    email, username = fields.get("email"), fields.get("username")
    if email is None and isinstance(username, str) and username:
        email, username = None, trim_name(username)
    elif isinstance(email, str) and email:
        email, username = email.strip(), None
    else:
        return BadJson()
    answer = captcha_answer(fields.get("captcha"), fields.get("captchaType"), request.client)
    return RecoveryAsked(email, username, answer.text, answer.kind)


def read_new_password(request: Request) -> NewPassword | Unreadable | BadPassword:
    """Refuses fields that are no strings; the service checks the rest."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    token, password = fields.get("token"), fields.get("password")
    if not isinstance(token, str) or not token:
        return BadJson()
    return NewPassword(token.strip(), password) if isinstance(password, str) else BadPassword()
