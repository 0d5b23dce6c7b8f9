"""The directory on the wire: request bodies, answers and refusals.

Refusals are `{message, detail, id}` in English; clients translate by id.
"""

import urllib.parse
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain import directory, outcome
from regserver.domain.directory import SignUpFields
from regserver.domain.outcome import BadJson, Refusal
from regserver.endpoint import Request, Response
from regserver.text import LANGUAGES, Language
from regserver.web.captcha.wire import CaptchaField, CaptchaTypeField, captcha_answer
from regserver.web.directory.message import FAULT_IDS, MESSAGES, MessageId
from regserver.web.http.answer import ErrorStyle, JsonAnswer
from regserver.web.http.body import FORM, Unreadable, content_type, parse_object, read_invitation, read_object
from regserver.web.http.field import DirectoryNameField, EmailField, InvitationField, PasswordField, described
from regserver.web.http.language import match_language
from regserver.web.http.pipeline import RequestBody

MAX_FORM_FIELDS = 50

Host = Annotated[str, described("The host that the user lives on.", "one.example.org")]


# --- requests
class Creation(RequestBody, frozen=True, rename="camel"):
    """Who signs up, and the language of the mail. A field that is absent or no string is null."""

    media_types: ClassVar[tuple[str, ...]] = ("application/json", FORM)

    user_name: DirectoryNameField | None
    password: PasswordField | None
    email: EmailField | None
    language_code: Annotated[Language, Meta(description="Of the mail; en by default.")] = "en"
    captcha: CaptchaField = ""
    captcha_type: CaptchaTypeField = "web"
    invitation: InvitationField = ""

    @property
    def fields(self) -> SignUpFields:
        """The fields for the directory service."""
        return SignUpFields(self.user_name, self.password, self.email, self.language_code)


def read_creation(request: Request) -> Creation | Unreadable:
    """The fields of a JSON or form body."""
    fields = _fields(request)
    if isinstance(fields, Refusal):
        return fields

    def field(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) else None

    # languageCode alone counts: programs send sign-ups, and their Accept-Language is not the user's.
    language = match_language(field("languageCode") or "") or LANGUAGES[0]
    answer = captcha_answer(field("captcha"), field("captchaType"), request.client)
    who = field("userName"), field("password"), field("email")
    return Creation(*who, language, answer.text, answer.kind, read_invitation(fields))


def _fields(request: Request) -> dict[str, Any] | Unreadable:
    if content_type(request) != FORM:
        return read_object(request)
    # `curl -d '{…}'` declares a form by default, so a body that starts like a JSON object is parsed as one.
    if request.body.lstrip().startswith(b"{"):
        return parse_object(request.body)
    try:
        text = request.body.decode()
        return dict(
            urllib.parse.parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
            )
        )
    except ValueError:  # not UTF-8, or too many fields
        return BadJson()


# --- answers
class Existence(JsonAnswer, frozen=True):
    """Whether the user name is taken."""

    exists: bool


class Residence(JsonAnswer, frozen=True):
    """The host that the user lives on."""

    server: Host


class SignUpBegun(JsonAnswer, frozen=True):
    """A mail is on its way."""

    message: Annotated[str, Meta(examples=["Registration started"])]
    detail: Annotated[str, Meta(examples=["An e-mail has been sent, check your mailbox to confirm."])]
    id: MessageId = "INIT_DONE"


BEGUN = SignUpBegun(MESSAGES["INIT_DONE"].message, MESSAGES["INIT_DONE"].detail)


class SignUpPending(Response, frozen=True, kw_only=True):
    """The challenge is good: GET or POST would confirm it."""


class Script(Response, frozen=True, kw_only=True):
    """JavaScript that sets `register_messages`: message and detail by id."""

    content_type: str = "text/javascript; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = (("cache-control", "public, max-age=3600"),)


# --- refusals
class RefusalMessage(msgspec.Struct, frozen=True):
    """A headline, its explanation, and the id to translate them by."""

    message: str
    detail: str
    id: MessageId


class DataMessage(RefusalMessage, frozen=True):
    """The same with everything that is wrong."""

    errors: tuple[RefusalMessage, ...]


class ConfirmedMessage(RefusalMessage, frozen=True):
    """The same with the host that the user lives on."""

    server: Host | UnsetType = UNSET


WORDS: dict[type[Refusal], tuple[MessageId, int]] = {
    directory.InvalidUserName: ("INVALID_USER_NAME", 400),
    directory.UnknownUserName: ("UNKOWN_USER_NAME", 404),
    directory.InvalidChallenge: ("INVALID_CHALLENGE", 400),
    directory.NoPendingCreation: ("NO_PENDING_CREATION", 404),
    directory.AlreadyConfirmed: ("ALREADY_CONFIRMED", 400),
    directory.InvalidData: ("INVALID_DATA", 400),
    directory.SignUpClosed: ("REGISTRATION_CLOSED", 403),
    directory.SignUpNotInvited: ("INVITATION_REQUIRED", 403),
    directory.InvalidTrustedKey: ("INVALID_TRUSTED_KEY", 401),
    directory.TooManyPending: ("TOO_MANY_REQUESTS", 429),
    outcome.BadCaptcha: ("INVALID_CAPTCHA", 400),
    outcome.TooManyRequests: ("TOO_MANY_REQUESTS", 429),
    outcome.ServerBusy: ("TOO_MANY_REQUESTS", 503),
    outcome.MethodNotAllowed: ("METHOD_NOT_ALLOWED", 405),
    outcome.ForeignOrigin: ("FOREIGN_ORIGIN", 403),
    outcome.BodyTooLarge: ("BODY_TOO_LARGE", 413),
    outcome.BadContentType: ("BAD_CONTENT_TYPE", 415),
    outcome.BadJson: ("INVALID_JSON_REQUEST", 400),
}
"""Id and status of each refusal. All others, such as StoreUnavailable, are INTERNAL_ERROR."""


class DirectoryStyle(ErrorStyle):
    """`{message, detail, id}`."""

    name_field = "id"

    def status(self, refusal: Refusal) -> int:
        """The status in WORDS."""
        return _words(refusal)[1]

    def body(self, refusal: Refusal) -> RefusalMessage:
        """The message in WORDS, with the faults of the data, or the server of the user."""
        message = _message(_words(refusal)[0])
        match refusal:
            case directory.InvalidData(faults=faults):
                errors = tuple(_message(FAULT_IDS[fault]) for fault in faults)
                return DataMessage(message.message, message.detail, message.id, errors)
            case directory.AlreadyConfirmed(server=server):
                return ConfirmedMessage(message.message, message.detail, message.id, server or UNSET)
            case _:
                return message


STYLE = DirectoryStyle()


def _words(refusal: Refusal) -> tuple[MessageId, int]:
    return WORDS.get(type(refusal), ("INTERNAL_ERROR", 500))


def _message(message: MessageId) -> RefusalMessage:
    text = MESSAGES[message]
    return RefusalMessage(text.message, text.detail, message)
