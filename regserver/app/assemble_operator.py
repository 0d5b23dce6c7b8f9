"""Builds what the operator has: the desks behind /admin, and the upkeep of the audit."""

from contextlib import AsyncExitStack
from functools import partial

from regserver.app.assemble_operator_page import OperatorDesks, open_operator_page
from regserver.app.assemble_operator_server import open_operator_server, operator_unit
from regserver.app.base import AppPart, Base
from regserver.service.expiry import run_audit_trim
from regserver.service.operator.audit import AuditDesk
from regserver.service.operator.invitation import InvitationDesk
from regserver.service.operator.key import KeyDesk
from regserver.service.operator.mail import MailDesk
from regserver.service.operator.new_user import NewUserDesk, NewUserParts
from regserver.service.operator.person import Sockets
from regserver.service.operator.room import RoomDesk
from regserver.service.operator.user import UserDesk, UserParts
from regserver.store_opening import audit_chain
from regserver.web.admin.endpoint import AdminApi, AdminParts
from regserver.web.admin.user_endpoint import UserAdminApi


async def open_operator(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes below /admin, the page below /operator, and the upkeep of the audit."""
    unit, sockets = operator_unit(base), Sockets(base.broker)
    link_base = base.settings.server.public_url.rstrip("/")
    users = UserDesk(UserParts(unit, base.clock, base.randomness, sockets, link_base))
    makes = NewUserDesk(NewUserParts(unit, base.clock, base.hasher, base.pepper, sockets))
    mail = MailDesk(unit, base.outbox)
    server, served = await open_operator_server(stack, base, unit, mail)
    desks = OperatorDesks(
        unit=unit,
        users=users,
        makes=makes,
        invitations=InvitationDesk(unit, base.randomness, base.pepper),
        rooms=RoomDesk(unit),
        keys=KeyDesk(unit, base.randomness),
        audit=AuditDesk(unit, audit_chain(base.key)),
        mail=mail,
        served=served,
    )
    parts = AdminParts(
        invitations=desks.invitations,
        rooms=desks.rooms,
        keys=desks.keys,
        audit=desks.audit,
    )
    trim = partial(run_audit_trim, base.store, base.clock, base.settings.audit.keep)
    page = open_operator_page(base, desks)
    people = (*UserAdminApi(users, makes).routes(), *AdminApi(parts).routes())
    return AppPart(
        routes=(*people, *server.routes, *page.routes),
        background=(trim,),
        reload=server.reload,
        reloads=server.reloads,
        first_link=page.first_link,
    )
