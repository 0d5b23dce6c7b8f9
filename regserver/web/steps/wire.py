"""The registration steps on the wire: parameters and results of methods, and the code and message of each refusal."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain import steps_machine as steps
from regserver.domain.contact import Contact, ContactKind, parse_email, parse_identity, parse_phone
from regserver.domain.instant import iso_millis
from regserver.domain.steps_machine import StepRefusal, StepsState
from regserver.ports.captcha import CaptchaType
from regserver.service.onboarding_service import MAX_COMMUNITIES, MIN_COMMUNITIES
from regserver.web.steps.jsonrpc import RpcError, invalid_params

Community = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$")]
PLATFORMS: dict[str, CaptchaType] = {"web": "web", "android": "android", "ios": "ios"}
Platform = Annotated[
    # Not anchored: the protocol prints its example with all three at once, "(web|android|ios)".
    str, Meta(pattern="web|android|ios", extra_json_schema={"enum": list(PLATFORMS)})
]


# --- parameters
class Params(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all parameters."""


class NamesContact(Params, frozen=True, kw_only=True):
    """Base of parameters with a contact: one of phone, email and identity."""

    @property
    def contact(self) -> Contact | RpcError:
        """The contact, or the error of the wrong parameter."""
        given = msgspec.structs.asdict(self)
        if (phone := given.get("phone")) is not None:
            return parse_phone(phone) or invalid_params("phone")
        if (email := given.get("email")) is not None:
            return parse_email(email) or invalid_params("email")
        if (identity := given.get("identity")) is not None:
            return parse_identity(identity, given["provider"]) or invalid_params("identity")
        return invalid_params()


class PhoneParams(NamesContact, frozen=True, kw_only=True):
    phone: str


class EmailParams(NamesContact, frozen=True, kw_only=True):
    email: str


class ContactParams(NamesContact, frozen=True, kw_only=True):
    """Exactly one of phone, email and identity. provider: of the identity, if several have it."""

    phone: str | None = None
    email: str | None = None
    identity: str | None = None
    provider: str | None = None
    token: str | None = None


class FirstStepParams(PhoneParams, frozen=True, kw_only=True):
    captcha: str = ""
    captcha_type: Platform = "web"
    invitation: str | None = None


class FirstStepEmailParams(EmailParams, frozen=True, kw_only=True):
    captcha: str = ""
    captcha_type: Platform = "web"
    invitation: str | None = None


class VerifyParams(PhoneParams, frozen=True, kw_only=True):
    code: int | str
    want_token: bool = False


class VerifyEmailParams(EmailParams, frozen=True, kw_only=True):
    code: int | str
    want_token: bool = False


class CreateIdentityParams(NamesContact, frozen=True, kw_only=True):
    identity: str
    provider: str
    secure_key: str
    want_token: bool = False
    invitation: str | None = None


class SetUsernameParams(ContactParams, frozen=True, kw_only=True):
    username: str


class ToBlockChainParams(ContactParams, frozen=True, kw_only=True):
    username: str
    user_id: str
    public_owner_key: str
    public_active_key: str
    want_token: bool = False
    invitation: str | None = None


class UserParams(Params, frozen=True, kw_only=True):
    user_id: str


class SubscriptionParams(UserParams, frozen=True, kw_only=True):
    community_ids: Annotated[list[Community], Meta(min_length=MIN_COMMUNITIES, max_length=MAX_COMMUNITIES)]


# Parameters by phone or by e-mail.
FirstStep = FirstStepParams | FirstStepEmailParams
Resend = PhoneParams | EmailParams
Verify = VerifyParams | VerifyEmailParams


# --- results
class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all results."""


class Chosen(Result, frozen=True, kw_only=True):
    """What was chosen before: shown in the state toBlockChain."""

    user_id: str
    username: str


class StateResult(Result, frozen=True, kw_only=True):
    current_state: StepsState
    data: Chosen | UnsetType = UNSET


class SmsResult(Result, frozen=True, kw_only=True):
    next_sms_retry: str
    current_state: StepsState


class EmailResult(Result, frozen=True, kw_only=True):
    next_email_retry: str
    current_state: StepsState


class VerifiedResult(Result, frozen=True, kw_only=True):
    current_state: StepsState
    token: str | UnsetType = UNSET


class UsernameResult(Result, frozen=True, kw_only=True):
    current_state: StepsState
    user_id: str


class RegisteredResult(Result, frozen=True, kw_only=True):
    """token, expires_in: of a signed-in session, where one was wanted."""

    username: str
    user_id: str
    current_state: StepsState
    token: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET


class StatusResult(Result, frozen=True, kw_only=True):
    status: Literal["OK"] = "OK"


# --- refusals
REPLIES: dict[type[StepRefusal], tuple[int, str]] = {
    steps.AlreadyRegistered: (1101, "Account already registered"),
    steps.InvalidStep: (1102, "Invalid step taken"),
    steps.CaptchaFailed: (1103, "Recaptcha check failed"),
    steps.BadContact: (1104, "Invalid phone number or e-mail address"),
    steps.WrongCode: (1104, "Wrong activation code"),
    steps.NameTaken: (1106, "This username is already taken"),
    steps.TryLater: (1107, "Try later"),
    steps.TooManyRetries: (1108, "Too many retries"),
    steps.WrongKey: (1108, "Wrong secure key"),
    steps.TooManyGuesses: (429, "Too Many Requests"),
    steps.BadUserName: (1109, "Invalid username"),
    steps.OtherName: (1110, "Not the username that was chosen"),
    steps.OtherUserId: (1111, "Not the userId that was given"),
    steps.BadPublicKey: (1112, "Invalid public key"),
    steps.NotSent: (1113, "SMS was not sent"),
    steps.RegistrationsClosed: (1114, "Registration is closed"),
    steps.NotInvited: (1114, "An invitation is required"),
    steps.TooManySignUps: (429, "Too Many Requests"),
    steps.UserNotFound: (404, "User not found"),
    steps.LedgerUnavailable: (500, "Internal Service Error"),
    steps.AmbiguousIdentity: (-32602, "Invalid params"),
}
RETRY_MEMBER: dict[ContactKind, str] = {"phone": "nextSmsRetry", "email": "nextEmailRetry"}


def error_of(refusal: StepRefusal, contact: ContactKind = "phone") -> RpcError:
    """The JSON-RPC error of a refusal. State and retry time are in `data`, and also beside `code`."""
    code, message = REPLIES[type(refusal)]
    if isinstance(refusal, steps.AmbiguousIdentity):
        return invalid_params("provider")
    members: dict[str, Any] = {}
    if refusal.state is not None:
        members["currentState"] = refusal.state
    if isinstance(refusal, steps.TryLater | steps.TooManyRetries):
        members[RETRY_MEMBER[contact]] = iso_millis(refusal.retry_at)
    if isinstance(refusal, steps.TooManyGuesses | steps.TooManySignUps):
        members["nextRetry"] = iso_millis(refusal.retry_at)
    return RpcError(code, message, members, members)
