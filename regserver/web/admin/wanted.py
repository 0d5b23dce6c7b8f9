"""Which of a list operators ask for, and the numbers in their paths."""

from typing import Annotated
from urllib.parse import parse_qs

from msgspec import Meta

from regserver.domain.account import AccountId
from regserver.domain.invitation import InvitationId
from regserver.domain.outcome import BadId
from regserver.domain.room import PostId, RoomId, parse_id
from regserver.domain.session import SessionId
from regserver.endpoint import Request
from regserver.ports.audit_table import AuditFilter
from regserver.service.operator.mail import MailState
from regserver.web.http.field import RoomIdField, UserIdField, described
from regserver.web.http.pipeline import Parameters

LISTED = 100
LimitField = Annotated[int, described("The most to return, up to 1000.", 50, ge=1)]


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


class MailWanted(Parameters, frozen=True):
    """Which messages are listed."""

    state: Annotated[MailState | None, Meta(description="Only those that wait, or were set aside.")] = None


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


def read_mail_wanted(request: Request) -> MailWanted:
    """The query of /admin/mail; all messages for a state that there is not."""
    state = _query(request).get("state")
    return MailWanted("waiting" if state == "waiting" else "failed" if state == "failed" else None)


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
