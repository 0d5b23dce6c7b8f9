"""Builds the operator's page on the desks that /admin has."""

import msgspec

from regserver.app.assemble_operator_server import ServedDesks
from regserver.app.base import AppPart, Base
from regserver.service.operator.audit import AuditDesk
from regserver.service.operator.entry import EntryDesk
from regserver.service.operator.invitation import InvitationDesk
from regserver.service.operator.key import KeyDesk
from regserver.service.operator.mail import MailDesk
from regserver.service.operator.new_user import NewUserDesk
from regserver.service.operator.room import RoomDesk
from regserver.service.operator.unit import OperatorUnit
from regserver.service.operator.user import UserDesk
from regserver.web.operator.audit_view import AuditView
from regserver.web.operator.endpoint import OperatorPage, OperatorPageParts
from regserver.web.operator.entry_page import EntryPage
from regserver.web.operator.flash import FlashSeal
from regserver.web.operator.frame import OperatorFrame
from regserver.web.operator.guarded import PageGuard
from regserver.web.operator.invitation_view import InvitationView
from regserver.web.operator.key_view import KeyView
from regserver.web.operator.limit_view import LimitView
from regserver.web.operator.mail_view import MailView
from regserver.web.operator.overview_view import OverviewParts, OverviewView
from regserver.web.operator.room_view import RoomView
from regserver.web.operator.session import VisitReader
from regserver.web.operator.steps_view import StepsView
from regserver.web.operator.user_act import UserActs
from regserver.web.operator.user_view import UserView
from regserver.web.operator.webhook_view import WebhookView


class OperatorDesks(msgspec.Struct, frozen=True):
    """The use cases that the page is a face of."""

    unit: OperatorUnit
    users: UserDesk
    makes: NewUserDesk
    invitations: InvitationDesk
    rooms: RoomDesk
    keys: KeyDesk
    audit: AuditDesk
    mail: MailDesk
    served: ServedDesks


def open_operator_page(base: Base, desks: OperatorDesks) -> AppPart:
    """The page below /operator, unless it is switched off."""
    if not base.settings.operations.page:
        return AppPart()
    entries = EntryDesk(base.store, base.clock, base.randomness, base.guard)
    frame = OperatorFrame(
        FlashSeal(base.key.derive("operator flash"), base.randomness), base.randomness, base.brand
    )
    guard = PageGuard(VisitReader(base.web.forwarded, desks.unit), frame)
    served = desks.served
    overview = OverviewView(OverviewParts(served.server, desks.users, base.node))
    views = OperatorPageParts(
        overview=overview,
        users=UserView(desks.users, desks.audit),
        user_acts=UserActs(desks.users, desks.makes),
        invitations=InvitationView(desks.invitations),
        rooms=RoomView(desks.rooms),
        mail=MailView(desks.mail, served.server.probe),
        steps=StepsView(served.steps),
        webhooks=WebhookView(served.webhooks, served.sender),
        limits=LimitView(served.server.limits, served.server.rates),
        audit=AuditView(desks.audit),
        keys=KeyView(desks.keys, entries, base.settings.server.public_url),
    )
    page = OperatorPage(guard, EntryPage(entries, guard), views)
    return AppPart(routes=page.routes(), first_link=(entries.first_link,))
