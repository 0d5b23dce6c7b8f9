"""The operator's endpoints of invitations, rooms, keys and the audit."""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.invitation import InvitationId
from regserver.domain.operator_outcome import (
    BadInvitation,
    BadKeyName,
    BadRole,
    InvitationNotFound,
    KeyNameTaken,
    KeyNotFound,
    TooManyKeys,
)
from regserver.domain.outcome import BadEmail, NotInRoom, PostNotFound, Refusal, RoomNotFound
from regserver.domain.room import PostId, RoomId
from regserver.endpoint import Request
from regserver.service.operator.audit import AuditBroken, AuditDesk
from regserver.service.operator.invitation import InvitationDesk
from regserver.service.operator.key import KeyDesk
from regserver.service.operator.room import RoomDesk
from regserver.service.operator.unit import Denied, KeyHolder
from regserver.web.admin import ask, show, show_audit, wanted
from regserver.web.http.pipeline import pipeline
from regserver.web.http.rate_limit import LimitName
from regserver.web.http.route import Route

LIMIT: LimitName = "operator"


class AdminParts(msgspec.Struct, frozen=True):
    """The desks behind the endpoints."""

    invitations: InvitationDesk
    rooms: RoomDesk
    keys: KeyDesk
    audit: AuditDesk


class AdminApi:
    """Operators show their key as a bearer token."""

    def __init__(self, parts: AdminParts) -> None:
        self._parts = parts

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (*self._of_people(), *self._of_keys())

    def _of_people(self) -> tuple[Route, ...]:
        key, limit = ask.caller, LIMIT
        invite, revoke = (
            pipeline(self.invite, ask.read_new_invitation, key),
            pipeline(self.revoke_invitation, wanted.read_invitation_id, key),
        )
        rooms, room = (
            pipeline(self.rooms, wanted.read_rooms_range, key),
            pipeline(self.room, wanted.read_room, key),
        )
        close, remove = (
            pipeline(self.close_room, wanted.read_room, key),
            pipeline(self.remove_post, wanted.read_post, key),
        )
        member = pipeline(self.remove_member, key, wanted.read_room, wanted.read_member)
        one_room = "/admin/rooms/{room}"
        return (
            Route("admin.invitations", "GET", "/admin/invitations", pipeline(self.invitations, key), limit),
            Route("admin.invite", "POST", "/admin/invitations", invite, limit),
            Route("admin.uninvite", "DELETE", "/admin/invitations/{invitation}", revoke, limit),
            Route("admin.rooms", "GET", "/admin/rooms", rooms, limit),
            Route("admin.room", "GET", one_room, room, limit),
            Route("admin.close_room", "DELETE", one_room, close, limit),
            Route("admin.remove_member", "DELETE", f"{one_room}/members/{{user_id}}", member, limit),
            Route("admin.remove_post", "DELETE", "/admin/posts/{post}", remove, limit),
        )

    def _of_keys(self) -> tuple[Route, ...]:
        key, limit = ask.caller, LIMIT
        rows = pipeline(self.audit, wanted.read_audit_range, key)
        return (
            Route("admin.keys", "GET", "/admin/keys", pipeline(self.keys, key), limit),
            Route(
                "admin.make_key", "POST", "/admin/keys", pipeline(self.make_key, ask.read_new_key, key), limit
            ),
            Route("admin.revoke_key", "DELETE", "/admin/keys/{key}", pipeline(self.revoke_key, key), limit),
            Route("admin.audit", "GET", "/admin/audit", rows, limit),
            Route("admin.verify", "POST", "/admin/audit/verify", pipeline(self.verify, key), limit),
        )

    # --- invitations
    async def invitations(self, _: Request, who: KeyHolder) -> show.InvitationList | Denied:
        """List invitations."""
        found = await self._parts.invitations.list(who)
        return found if isinstance(found, Refusal) else show.invitation_list(found)

    async def invite(
        self, _: Request, body: ask.NewInvitationBody, who: KeyHolder
    ) -> show.InvitationAdded | Denied | BadInvitation | BadEmail:
        """Make an invitation."""
        made = await self._parts.invitations.create(who, body.wish)
        if isinstance(made, Refusal):
            return made
        return show.InvitationAdded(show.invitation_body(made.id, made.invitation), made.secret)

    async def revoke_invitation(
        self, _: Request, number: InvitationId, who: KeyHolder
    ) -> Denied | InvitationNotFound | None:
        """Revoke an invitation."""
        return await self._parts.invitations.revoke(who, number)

    # --- rooms
    async def rooms(
        self, _: Request, asked: wanted.RoomsRange, who: KeyHolder
    ) -> show.OperatedRooms | Denied:
        """List rooms."""
        found = await self._parts.rooms.list(who, asked.after or RoomId(0), asked.limit + 1)
        if isinstance(found, Refusal):
            return found
        more = len(found) > asked.limit
        return show.OperatedRooms(tuple(map(show.operated_room, found[: asked.limit])), more)

    async def room(
        self, _: Request, room: RoomId, who: KeyHolder
    ) -> show.OperatedRoomDetail | Denied | RoomNotFound:
        """Get one room and its members."""
        found = await self._parts.rooms.show(who, room)
        if isinstance(found, Refusal):
            return found
        members = tuple(show.operated_member(each.account, each.username) for each in found.members)
        return show.OperatedRoomDetail(show.operated_room(found.room), members)

    async def close_room(self, _: Request, room: RoomId, who: KeyHolder) -> Denied | RoomNotFound | None:
        """Close a room: all members leave, and it is gone with its posts."""
        return await self._parts.rooms.close(who, room)

    async def remove_member(
        self, _: Request, who: KeyHolder, room: RoomId, member: AccountId
    ) -> Denied | RoomNotFound | NotInRoom | None:
        """Put a member out of a room."""
        return await self._parts.rooms.remove_member(who, room, member)

    async def remove_post(self, _: Request, post: PostId, who: KeyHolder) -> Denied | PostNotFound | None:
        """Take a post's content away, for good."""
        return await self._parts.rooms.remove_post(who, post)

    # --- keys
    async def keys(self, _: Request, who: KeyHolder) -> show_audit.KeyList | Denied:
        """List operator keys."""
        found = await self._parts.keys.list(who)
        return found if isinstance(found, Refusal) else show_audit.key_list(found)

    async def make_key(
        self, _: Request, body: ask.NewKeyBody, who: KeyHolder
    ) -> show_audit.KeyAdded | Denied | BadKeyName | BadRole | KeyNameTaken | TooManyKeys:
        """Make an operator key."""
        made = await self._parts.keys.create(who, body.name, body.role)
        return made if isinstance(made, Refusal) else show_audit.KeyAdded(made.name, made.role, made.secret)

    async def revoke_key(self, request: Request, who: KeyHolder) -> Denied | KeyNotFound | None:
        """Revoke an operator key. It ends at once."""
        return await self._parts.keys.revoke(who, request.params["key"])

    # --- the audit
    async def audit(
        self, _: Request, asked: wanted.AuditRange, who: KeyHolder
    ) -> show_audit.AuditPage | Denied:
        """List what was done by whom."""
        found = await self._parts.audit.newest(who, asked.filter, asked.limit)
        return found if isinstance(found, Refusal) else show_audit.audit_page(found)

    async def verify(self, _: Request, who: KeyHolder) -> show_audit.AuditVerified | Denied:
        """Verify the audit, from the first row that is kept."""
        found = await self._parts.audit.verify(who)
        if isinstance(found, AuditBroken):
            return show_audit.AuditVerified(whole=False, rows=0, trimmed=0, head="", detail=found.detail)
        if isinstance(found, Refusal):
            return found
        return show_audit.AuditVerified(True, found.rows, found.trimmed, found.head, "")
