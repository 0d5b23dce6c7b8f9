"""Sign-in by a one-time code on the wire."""

from typing import Annotated, Any, ClassVar

from regserver.domain.contact import Contact, parse_email, parse_phone
from regserver.domain.outcome import BadEmail, BadJson, BadPhone, Refusal
from regserver.endpoint import Request
from regserver.web.captcha.wire import CaptchaField, CaptchaTypeField, captcha_answer
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import EmailField, described
from regserver.web.http.pipeline import RequestBody

PhoneField = Annotated[
    str, described("A phone number with its country code, as people write it.", "+380 50 123 45 67")
]
ContactRefusal = BadEmail | BadPhone


class CodeAsked(RequestBody, frozen=True, rename="camel"):
    """Where the code is sent: to an address or to a phone number."""

    email: EmailField | None = None
    phone: PhoneField | None = None
    captcha: CaptchaField = ""
    captcha_type: CaptchaTypeField = "web"


class CodeGiven(RequestBody, frozen=True):
    """The address or phone number, and the code that was sent to it."""

    code: Annotated[int | str, described("The code, in digits.", "314159")]
    email: EmailField | None = None
    phone: PhoneField | None = None


class CodeAccepted(JsonAnswer, frozen=True, rename="camel"):
    """If this is somebody's verified address or number, a code is on its way."""

    http_status: ClassVar[int] = 202

    next_retry: Annotated[
        str,
        described(
            "When another code can be sent: UTC, milliseconds.",
            "2020-09-13T12:27:25.000Z",
            extra_json_schema={"format": "date-time"},
        ),
    ]


def contact_of(body: CodeAsked | CodeGiven) -> Contact | ContactRefusal:
    """The normalised contact."""
    if body.email is not None:
        return parse_email(body.email.strip()) or BadEmail()
    return parse_phone(body.phone or "") or BadPhone()


def read_code_asked(request: Request) -> CodeAsked | Unreadable:
    """A body without exactly one text for the contact is BadJson."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    contact = _contact_fields(fields)
    if contact is None:
        return BadJson()
    answer = captcha_answer(fields.get("captcha"), fields.get("captchaType"), request.client)
    return CodeAsked(*contact, answer.text, answer.kind)


def read_code_given(request: Request) -> CodeGiven | Unreadable:
    """The same with the code, a number or a text."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    contact, code = _contact_fields(fields), fields.get("code")
    if contact is None or not isinstance(code, int | str) or isinstance(code, bool):
        return BadJson()
    return CodeGiven(code, *contact)


def _contact_fields(fields: dict[str, Any]) -> tuple[str | None, str | None] | None:
    email, phone = fields.get("email"), fields.get("phone")
    given = [each for each in (email, phone) if each is not None]
    return (email, phone) if len(given) == 1 and isinstance(given[0], str) else None
