"""What operators ask: the key, parameters and bodies."""

from typing import Annotated, Any, cast

from regserver.domain.account import MAX_JSON_INTEGER
from regserver.domain.command_ticket import request_to_sign
from regserver.domain.instant import HOUR, SECOND, Duration
from regserver.domain.invitation import LIFE, MAX_NOTE_LENGTH, MOST_USES
from regserver.domain.operator_key import Role
from regserver.domain.outcome import BadAuthType, BadJson, BadToken, MissingAuth, Refusal
from regserver.endpoint import Request
from regserver.ports.outbox_table import OutboxId
from regserver.service.operator.invitation import InvitationWish
from regserver.service.operator.new_user import UserWish
from regserver.service.operator.unit import CommandCaller, KeyHolder
from regserver.web.http.bearer import bearer, ticket_in
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import (
    EmailField,
    NewUsernameField,
    PasswordField,
    described,
)
from regserver.web.http.pipeline import RequestBody

KeyNameField = Annotated[str, described("The name of an operator key.", "anna", min_length=1, max_length=40)]
RoleField = Annotated[Role, described("What the key may do.", "support")]
LifeField = Annotated[int, described("A life in seconds.", 3600, ge=60)]


def caller(request: Request) -> KeyHolder | MissingAuth | BadAuthType | BadToken:
    """Whoever has shown an operator key; or a command of the server's own machine."""
    found = bearer(request)
    if isinstance(found, Refusal):
        return found
    if ticket := ticket_in(request.headers["authorization"]):
        target = f"{request.path}?{request.query}" if request.query else request.path
        return CommandCaller(found, ticket, request_to_sign(request.method, target, request.body))
    return KeyHolder(found)


# --- bodies
class NewUserBody(RequestBody, frozen=True, rename="camel"):
    """An account to be made. emailVerified: the operator knows that the address is the person's."""

    username: NewUsernameField
    email: EmailField | None = None
    email_verified: Annotated[bool, described("Whether the address is known to be theirs.", True)] = False
    password: PasswordField | None = None

    @property
    def wish(self) -> UserWish:
        """For the service."""
        return UserWish(
            username=self.username, email=self.email, is_verified=self.email_verified, password=self.password
        )


class NewPasswordBody(RequestBody, frozen=True):
    """A password."""

    password: PasswordField


class NewNameBody(RequestBody, frozen=True):
    """Another name."""

    username: NewUsernameField


class LifeBody(RequestBody, frozen=True, rename="camel"):
    """How long a link works; an hour without it."""

    expires_in: LifeField | None = None

    @property
    def life(self) -> Duration:
        """At most 7 days."""
        return Duration(HOUR) if self.expires_in is None else Duration(self.expires_in * SECOND)


class NewInvitationBody(RequestBody, frozen=True, rename="camel"):
    """An invitation to be made."""

    uses: Annotated[int, described("How many accounts it makes.", 1, ge=1, le=MOST_USES)] = 1
    note: Annotated[str, described("A line for the operator.", "class 7b", max_length=MAX_NOTE_LENGTH)] = ""
    email: EmailField | None = None
    expires_in: LifeField | None = None

    @property
    def wish(self) -> InvitationWish:
        """For the service."""
        life = LIFE if self.expires_in is None else Duration(self.expires_in * SECOND)
        return InvitationWish(self.uses, self.note, self.email, life)


class NewKeyBody(RequestBody, frozen=True):
    """A key to be made."""

    name: KeyNameField
    role: RoleField


class RetryBody(RequestBody, frozen=True):
    """Which messages are sent again; all without it."""

    ids: (
        Annotated[
            tuple[OutboxId, ...], described("Numbers of /admin/mail.", [7], min_length=1, max_length=1000)
        ]
        | None
    ) = None


class TrialMailBody(RequestBody, frozen=True):
    """Where a message goes that is sent for trying."""

    to: EmailField


class ClientBody(RequestBody, frozen=True):
    """A client that may go on at once."""

    client: Annotated[str, described("An IPv4 or IPv6 address.", "192.0.2.7", min_length=1, max_length=64)]


def _is_number(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_JSON_INTEGER


def read_new_user(request: Request) -> NewUserBody | Unreadable:
    """Refuses fields of a wrong type."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    username, email, password = fields.get("username"), fields.get("email"), fields.get("password")
    verified = fields.get("emailVerified", False)
    texts = isinstance(username, str) and all(
        each is None or isinstance(each, str) for each in (email, password)
    )
    if not texts or not isinstance(verified, bool) or not isinstance(username, str):
        return BadJson()
    return NewUserBody(username.strip(), email, verified, password)


def _text(request: Request, name: str) -> str | Unreadable:
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    value: Any = fields.get(name)
    return value if isinstance(value, str) else BadJson()


def read_new_password(request: Request) -> NewPasswordBody | Unreadable:
    """Refuses what is no text."""
    found = _text(request, "password")
    return found if isinstance(found, Refusal) else NewPasswordBody(found)


def read_new_name(request: Request) -> NewNameBody | Unreadable:
    """Refuses what is no text."""
    found = _text(request, "username")
    return found if isinstance(found, Refusal) else NewNameBody(found.strip())


def read_life(request: Request) -> LifeBody | Unreadable:
    """Refuses what is no time from a minute to 7 days."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    seconds = fields.get("expiresIn")
    if seconds is not None and not (_is_number(seconds) and 60 <= seconds <= 7 * 86_400):
        return BadJson()
    return LifeBody(seconds)


def read_new_invitation(request: Request) -> NewInvitationBody | Unreadable:
    """Refuses fields of a wrong type."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    uses, note, email, seconds = (fields.get(name) for name in ("uses", "note", "email", "expiresIn"))
    numbers = all(each is None or _is_number(each) for each in (uses, seconds))
    if not numbers or not all(each is None or isinstance(each, str) for each in (note, email)):
        return BadJson()
    return NewInvitationBody(1 if uses is None else uses, note or "", email, seconds)


def read_new_key(request: Request) -> NewKeyBody | Unreadable:
    """Refuses fields of a wrong type; the service checks the rest."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    name, role = fields.get("name"), fields.get("role")
    if not isinstance(name, str) or not isinstance(role, str):
        return BadJson()
    return NewKeyBody(name, cast("Role", role))  # the service refuses other roles


def read_retry(request: Request) -> RetryBody | Unreadable:
    """Refuses what are no numbers."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    ids = fields.get("ids")
    if ids is not None and not (isinstance(ids, list) and 0 < len(ids) <= 1000 and all(map(_is_number, ids))):
        return BadJson()
    return RetryBody(None if ids is None else tuple(ids))


def read_trial_mail(request: Request) -> TrialMailBody | Unreadable:
    """Refuses what is no text."""
    found = _text(request, "to")
    return found if isinstance(found, Refusal) else TrialMailBody(found.strip())


def read_client(request: Request) -> ClientBody | Unreadable:
    """Refuses what is no text."""
    found = _text(request, "client")
    return found if isinstance(found, Refusal) else ClientBody(found.strip())
