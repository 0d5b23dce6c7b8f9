"""Sign-in, sign-up and accounts on the wire: the bodies that are taken, and what is shown."""

import urllib.parse
from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from regserver.domain.invisible import trim_name
from regserver.domain.outcome import BadEmail, BadJson, BadPassword, BadUsername, Refusal
from regserver.endpoint import Request
from regserver.service.identity_service import SignedIn
from regserver.web.captcha.wire import CaptchaField, CaptchaTypeField, captcha_answer
from regserver.web.http.answer import HeaderFields, JsonAnswer
from regserver.web.http.body import Unreadable, read_invitation, read_object
from regserver.web.http.field import (
    EmailField,
    InvitationField,
    NewUsernameField,
    PasswordField,
    RoomIdField,
    SecondsField,
    TimeField,
    TokenField,
    UserIdField,
    UsernameField,
    described,
)
from regserver.web.http.pipeline import Parameters, RequestBody


# --- what is asked
class Credentials(RequestBody, frozen=True):
    """Who signs in. The user name may have white space around it, and may be the account's verified e-mail address."""

    username: UsernameField
    password: PasswordField
    invitation: InvitationField = ""


class Deletion(RequestBody, frozen=True):
    """The password of the account that is deleted, if the client asked for it once more."""

    password: PasswordField | None = None


class SignUp(RequestBody, frozen=True, rename="camel"):
    """Who signs up."""

    username: NewUsernameField
    email: EmailField
    password: PasswordField
    captcha: CaptchaField = ""
    captcha_type: CaptchaTypeField = "web"
    invitation: InvitationField = ""

    def identity(self) -> dict[str, str]:
        """Without the password, of which only the slow hash is stored, and without captcha and invitation, which are used up."""
        return {"username": self.username, "email": self.email}


class MailedLink(RequestBody, frozen=True):
    """The secret of a mailed link."""

    token: Annotated[str, described("What stands behind the # of the link.", "regl_0123abcd", min_length=1)]


class Preference(Parameters, frozen=True):
    """The client's preference for the answer with a registration (RFC 7240)."""

    prefer: Annotated[
        str,
        described(
            "`respond-async` asks for 202 in place of 303, which browser code cannot read.",
            "respond-async",
            extra={"header": "Prefer"},
        ),
    ] = ""

    @property
    def respond_async(self) -> bool:
        """Whether that preference is among them."""
        preferences = self.prefer.split(",")
        return any(one.partition(";")[0].strip().lower() == "respond-async" for one in preferences)


class SignOutScope(Parameters, frozen=True):
    """What ends at a sign-out."""

    all: Annotated[bool, described("Ends every token of the account.", True)] = False


def read_credentials(request: Request) -> Credentials | Unreadable:
    """The body of /login; either field empty is BadJson."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    username, password = fields.get("username"), fields.get("password")
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        return BadJson()
    return Credentials(trim_name(username), password, read_invitation(fields))


def read_deletion(request: Request) -> Deletion | Unreadable:
    """The body of /login/delete, which may be absent."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    password = fields.get("password")
    return Deletion(password) if password is None or isinstance(password, str) else BadJson()


def read_sign_up(request: Request) -> SignUp | Unreadable | BadEmail | BadUsername | BadPassword:
    """Refuses fields that are no strings, in the protocol's order; the service checks the others."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    email, username, password = fields.get("email"), fields.get("username"), fields.get("password")
    if not isinstance(email, str):
        return BadEmail()
    if not isinstance(username, str):
        return BadUsername()
    if not isinstance(password, str):
        return BadPassword()
    answer = captcha_answer(fields.get("captcha"), fields.get("captchaType"), request.client)
    invitation = read_invitation(fields)
    return SignUp(trim_name(username), email, password, answer.text, answer.kind, invitation)


def read_mailed_link(request: Request) -> MailedLink | Unreadable:
    """The body of a route that a mailed link leads to."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    token = fields.get("token")
    return MailedLink(token.strip()) if isinstance(token, str) and token else BadJson()


def read_preference(request: Request) -> Preference:
    """The Prefer field of /login."""
    return Preference(request.headers.get("prefer", ""))


def read_sign_out_scope(request: Request) -> SignOutScope:
    """The query of /login/token. A switch without a value is on."""
    query = urllib.parse.parse_qs(request.query, keep_blank_values=True)
    return SignOutScope(query.get("all") in (["true"], [""]))


# --- what is shown
class SessionOpened(JsonAnswer, frozen=True, rename="camel"):
    """Signed in: the token is good at every door."""

    user_id: UserIdField
    token: TokenField
    expires_in: SecondsField

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        """The answer of every route that hands out a token."""
        return cls(signed_in.user_id, signed_in.token, signed_in.expires_in)


class AccountOpened(SessionOpened, frozen=True):
    """Signed up and in."""

    http_status: ClassVar[int] = 201


class RegistrationRunning(JsonAnswer, frozen=True):
    """A registration runs; it can be watched at the location."""

    http_status: ClassVar[int] = 303

    location: Annotated[
        str,
        described(
            "The WebSocket that shows the registration; anybody who knows it may watch.",
            "wss://example.org/register/u-00000000-0000-4000-8000-000000000000",
            extra_json_schema={"format": "uri"},
        ),
    ]

    def headers(self) -> HeaderFields:
        """Where to watch, also for programs that read no body."""
        return (("location", self.location),)


class RegistrationAccepted(RegistrationRunning, frozen=True):
    """The same for a client that asked with `Prefer: respond-async`, as browser code must."""

    http_status: ClassVar[int] = 202

    def headers(self) -> HeaderFields:
        """Also says that the preference was followed (RFC 7240)."""
        return (("location", self.location), ("preference-applied", "respond-async"))


class AccountBody(msgspec.Struct, frozen=True, rename="camel"):
    """The asker's own account."""

    user_id: UserIdField
    username: UsernameField
    email: EmailField | None
    email_verified: Annotated[bool, Meta(description="Whether the account has verified an address.")]
    rooms: tuple[RoomIdField, ...]
    created_at: TimeField
    updated_at: TimeField


class AccountShown(JsonAnswer, frozen=True):
    """The asker's account."""

    user: AccountBody


class UserIdFound(JsonAnswer, frozen=True, rename="camel"):
    """The id behind a user name."""

    user_id: UserIdField


class UsernameFound(JsonAnswer, frozen=True):
    """The user name behind an id."""

    username: UsernameField


class TicketIssued(JsonAnswer, frozen=True, rename="camel"):
    """A ticket that opens one WebSocket, once."""

    ticket: Annotated[str, Meta(examples=["regs_0123abcd"])]
    expires_in: SecondsField


class EmailVerified(JsonAnswer, frozen=True):
    """The address is the account's."""

    email: EmailField


class MailAccepted(JsonAnswer, frozen=True):
    """A mail is on its way, if there is anything to mail."""

    http_status: ClassVar[int] = 202
