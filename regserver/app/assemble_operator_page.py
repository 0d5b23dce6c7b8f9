"""Builds the operator's page on the desks that /admin has."""

from regserver import __version__
from regserver.app.base import AppPart, Base
from regserver.service.operator.entry import EntryDesk
from regserver.service.operator.key import KeyDesk
from regserver.service.operator.unit import OperatorUnit
from regserver.web.operator.endpoint import OperatorPage, OperatorPageParts
from regserver.web.operator.entry_page import EntryPage
from regserver.web.operator.flash import FlashSeal
from regserver.web.operator.frame import OperatorFrame
from regserver.web.operator.guarded import PageGuard
from regserver.web.operator.key_view import KeyView
from regserver.web.operator.overview_view import OverviewParts, OverviewView
from regserver.web.operator.session import VisitReader


def open_operator_page(base: Base, unit: OperatorUnit, keys: KeyDesk) -> AppPart:
    """The page below /operator, unless it is switched off."""
    if not base.settings.operations.page:
        return AppPart()
    entries = EntryDesk(base.store, base.clock, base.randomness, base.guard)
    frame = OperatorFrame(FlashSeal(base.key.derive("operator flash"), base.randomness), base.randomness)
    guard = PageGuard(VisitReader(base.web.forwarded, unit), frame)
    overview = OverviewView(
        OverviewParts(unit, __version__, base.node, base.web.metrics.running_registrations)
    )
    views = OperatorPageParts(overview, KeyView(keys, entries, base.settings.server.public_url))
    page = OperatorPage(guard, EntryPage(entries, guard), views)
    return AppPart(routes=page.routes(), first_link=(entries.first_link,))
