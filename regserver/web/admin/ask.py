"""What operators ask: the key, parameters and bodies."""

from typing import Annotated, Any, cast
from urllib.parse import parse_qs

from msgspec import Meta

from regserver.domain.account import MAX_JSON_INTEGER, AccountId
from regserver.domain.instant import HOUR, SECOND, Duration
from regserver.domain.invitation import LIFE, MAX_NOTE_LENGTH, MOST_USES, InvitationId
from regserver.domain.operator_key import Role
from regserver.domain.outcome import BadAuthType, BadId, BadJson, BadToken, MissingAuth, Refusal
from regserver.domain.room import PostId, RoomId, parse_id
from regserver.domain.session import SessionId
from regserver.endpoint import Request
from regserver.ports.audit_table import AuditFilter
from regserver.ports.outbox_table import OutboxId
from regserver.service.operator.invitation import InvitationWish
from regserver.service.operator.new_user import UserWish
from regserver.service.operator.unit import KeyHolder
from regserver.web.http.bearer import bearer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import (
    EmailField,
    NewUsernameField,
    PasswordField,
    RoomIdField,
    UserIdField,
    described,
)
from regserver.web.http.pipeline import Parameters, RequestBody

LISTED = 100
KeyNameField = Annotated[str, described("The name of an operator key.", "anna", min_length=1, max_length=40)]
RoleField = Annotated[Role, described("What the key may do.", "support")]
LifeField = Annotated[int, described("A life in seconds.", 3600, ge=60)]
LimitField = Annotated[int, described("The most to return, up to 1000.", 50, ge=1)]


def key_holder(request: Request) -> KeyHolder | MissingAuth | BadAuthType | BadToken:
    """Whoever has shown an operator key."""
    found = bearer(request)
    return found if isinstance(found, Refusal) else KeyHolder(found)


# --- lists
class UserRange(Parameters, frozen=True):
    """Which accounts are listed."""

    search: Annotated[str, described("Only accounts whose name or address has it in it.", "ada")] = ""
    after: Annotated[UserIdField | None, Meta(description="Only accounts behind this one.")] = None
    limit: LimitField = LISTED


class RoomsRange(Parameters, frozen=True):
    """Which rooms are listed."""

    after: Annotated[RoomIdField | None, Meta(description="Only rooms behind this one.")] = None
    limit: LimitField = LISTED


class AuditRange(Parameters, frozen=True):
    """Which rows are listed, the newest first."""

    before: Annotated[int, described("Only rows before this number.", 1000, ge=1)] | None = None
    account: Annotated[UserIdField | None, Meta(description="Only rows about this account.")] = None
    action: Annotated[str, described("Only rows of this kind.", "sign_in")] | None = None
    limit: LimitField = LISTED

    @property
    def filter(self) -> AuditFilter:
        """For the service."""
        return AuditFilter(before=self.before, account=self.account, action=self.action)


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _number(text: str | None) -> int | BadId | None:
    if text is None:
        return None
    return BadId() if (number := parse_id(text)) is None else number


def _limit(query: dict[str, str]) -> int:
    return min(max(parse_id(query.get("limit", "")) or LISTED, 1), 1000)


def read_user_range(request: Request) -> UserRange | BadId:
    """The query of /admin/users."""
    query = _query(request)
    after = _number(query.get("after"))
    if isinstance(after, BadId):
        return after
    return UserRange(query.get("search", ""), None if after is None else AccountId(after), _limit(query))


def read_rooms_range(request: Request) -> RoomsRange | BadId:
    """The query of /admin/rooms."""
    query = _query(request)
    after = _number(query.get("after"))
    if isinstance(after, BadId):
        return after
    return RoomsRange(None if after is None else RoomId(after), _limit(query))


def read_audit_range(request: Request) -> AuditRange | BadId:
    """The query of /admin/audit."""
    query = _query(request)
    before, account = _number(query.get("before")), _number(query.get("account"))
    if isinstance(before, BadId) or isinstance(account, BadId):
        return BadId()
    of = None if account is None else AccountId(account)
    return AuditRange(before, of, query.get("action"), _limit(query))


# --- numbers in paths; 0, which nothing has, for what is none
def read_room(request: Request) -> RoomId:
    """The room in the path."""
    return RoomId(parse_id(request.params["room"]) or 0)


def read_post(request: Request) -> PostId:
    """The post in the path."""
    return PostId(parse_id(request.params["post"]) or 0)


def read_member(request: Request) -> AccountId:
    """The account in the path."""
    return AccountId(parse_id(request.params["user_id"]) or 0)


def read_session(request: Request) -> SessionId:
    """The session in the path."""
    return SessionId(parse_id(request.params["session_id"]) or 0)


def read_invitation_id(request: Request) -> InvitationId:
    """The invitation in the path."""
    return InvitationId(parse_id(request.params["invitation"]) or 0)


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
