"""What operators are shown."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant, iso_seconds
from regserver.domain.invitation import NewInvitation, SignUpInvitation
from regserver.domain.room import Room
from regserver.domain.session import AccountSession
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import (
    EmailField,
    RoomIdField,
    RoomNameField,
    SessionIdField,
    TimeField,
    UserIdField,
    UsernameField,
    described,
)

WordText = Annotated[str, described("A word of the server's.", "rooms")]
PlainText = Annotated[str, described("A text.", "Kitchen")]
CountNumber = Annotated[int, described("How many.", 3, ge=0)]
RowNumber = Annotated[int, described("A number.", 5, ge=1)]


def time_or_none(at: Instant | None) -> str | None:
    """As it is written."""
    return None if at is None else iso_seconds(at)


class UserBody(msgspec.Struct, frozen=True, rename="camel"):
    """An account. ledgerUserId: its userId of the steps. waitsFor: what it waits for before anybody can use it."""

    user_id: UserIdField
    username: UsernameField
    email: EmailField | None
    email_verified: Annotated[bool, Meta(description="Whether the address is proved to be theirs.")]
    door: WordText
    has_password: Annotated[bool, Meta(description="Whether there is a password here.")]
    ledger_user_id: PlainText | None
    server: PlainText | None
    waits_for: WordText | None
    created_at: TimeField
    suspended_at: TimeField | None
    deleted_at: TimeField | None
    erased_at: TimeField | None


def user_body(account: Account) -> UserBody:
    """An account as operators see it."""
    return UserBody(
        user_id=account.id,
        username=account.username,
        email=account.email,
        email_verified=account.email_verified_at is not None,
        door=account.origin,
        has_password=account.password_hash is not None,
        ledger_user_id=account.ledger_name,
        server=account.server,
        waits_for=account.waits_for,
        created_at=iso_seconds(account.created_at),
        suspended_at=time_or_none(account.suspended_at),
        deleted_at=time_or_none(account.deleted_at),
        erased_at=time_or_none(account.erased_at),
    )


class UserPage(JsonAnswer, frozen=True):
    """Some accounts; more: whether there are further ones behind them."""

    users: tuple[UserBody, ...]
    more: bool


class UserDetail(JsonAnswer, frozen=True):
    """One account, with the rooms that it is in."""

    user: UserBody
    rooms: tuple[RoomIdField, ...]


class UserChanged(JsonAnswer, frozen=True):
    """The account as it is now."""

    user: UserBody


class UserMade(UserChanged, frozen=True):
    """The new account."""

    http_status: ClassVar[int] = 201


class ResetLinkMade(JsonAnswer, frozen=True, rename="camel"):
    """A link that sets a new password, once. It begins with the path where the server does not know its address."""

    http_status: ClassVar[int] = 201

    link: Annotated[
        str, described("Whoever opens it sets the password.", "https://example.org/recover#regl_x")
    ]
    username: UsernameField
    expires_at: TimeField


class OperatorSession(msgspec.Struct, frozen=True, rename="camel"):
    """A session, or with a name a token for a program."""

    session_id: SessionIdField
    name: PlainText | None
    agent: PlainText
    network: PlainText
    created_at: TimeField
    last_used_at: TimeField
    expires_at: TimeField


class UserSessions(JsonAnswer, frozen=True):
    """The account's sessions, at most 500, the last used first."""

    sessions: tuple[OperatorSession, ...]


def session_value(session: AccountSession) -> OperatorSession:
    """A session as operators see it."""
    return OperatorSession(
        session.id,
        session.name,
        session.agent,
        session.network,
        iso_seconds(session.created_at),
        iso_seconds(session.last_used_at),
        iso_seconds(session.expires_at),
    )


class SessionsEnded(JsonAnswer, frozen=True):
    """How many sessions were ended."""

    ended: CountNumber


# --- invitations
class InvitationBody(msgspec.Struct, frozen=True, rename="camel"):
    """An invitation without its secret. email: masked, where it is bound to an address."""

    number: RowNumber
    uses: CountNumber
    used: CountNumber
    note: PlainText
    email: PlainText | None
    created_at: TimeField
    expires_at: TimeField


def invitation_body(number: int, new: NewInvitation, used: int = 0) -> InvitationBody:
    """An invitation as operators see it."""
    times = iso_seconds(new.created_at), iso_seconds(new.expires_at)
    return InvitationBody(number, new.uses, used, new.note, new.mask, *times)


class InvitationList(JsonAnswer, frozen=True):
    """Invitations that are good, the newest first."""

    invitations: tuple[InvitationBody, ...]


class InvitationAdded(JsonAnswer, frozen=True):
    """A new invitation. secret: it is shown this once."""

    http_status: ClassVar[int] = 201

    invitation: InvitationBody
    secret: Annotated[str, described("The invitation itself.", "regi_0123abcd")]


def invitation_list(found: tuple[SignUpInvitation, ...]) -> InvitationList:
    """All of them."""
    return InvitationList(tuple(invitation_body(each.id, each, each.used) for each in found))


# --- rooms
class OperatedRoom(msgspec.Struct, frozen=True, rename="camel"):
    """A room. name: null where it is called by its members' names."""

    room_id: RoomIdField
    name: RoomNameField | None
    member_count: CountNumber
    created_at: TimeField
    updated_at: TimeField


def operated_room(room: Room) -> OperatedRoom:
    """A room as operators see it."""
    times = iso_seconds(room.created_at), iso_seconds(room.updated_at)
    return OperatedRoom(room.id, room.name, room.member_count, *times)


class OperatedRooms(JsonAnswer, frozen=True):
    """Some rooms; more: whether there are further ones behind them."""

    rooms: tuple[OperatedRoom, ...]
    more: bool


class OperatedMember(msgspec.Struct, frozen=True, rename="camel"):
    """A member of a room."""

    user_id: UserIdField
    username: UsernameField


class OperatedRoomDetail(JsonAnswer, frozen=True):
    """A room with its members, at most 5000."""

    room: OperatedRoom
    members: tuple[OperatedMember, ...]


def operated_member(account: AccountId, username: str) -> OperatedMember:
    """A member as operators see it."""
    return OperatedMember(account, username)
