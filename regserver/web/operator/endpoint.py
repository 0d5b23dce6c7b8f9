"""All routes of the operator's page."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import chain

import msgspec

from regserver.domain.outcome import Refusal
from regserver.endpoint import Request, Response
from regserver.web.http.route import Route
from regserver.web.operator.act import ActTable
from regserver.web.operator.act_page import ActPage
from regserver.web.operator.audit_view import AuditView
from regserver.web.operator.entry_page import EntryPage
from regserver.web.operator.frame import load_operator_templates, redirect
from regserver.web.operator.guarded import Asked, PageGuard
from regserver.web.operator.invitation_view import InvitationView
from regserver.web.operator.key_view import KeyView
from regserver.web.operator.limit_view import LimitView
from regserver.web.operator.mail_view import MailView
from regserver.web.operator.overview_view import OverviewView
from regserver.web.operator.room_view import RoomView
from regserver.web.operator.steps_view import StepsView
from regserver.web.operator.user_act import UserActs
from regserver.web.operator.user_view import UserView
from regserver.web.operator.view import OperatorView
from regserver.web.operator.webhook_view import WebhookView
from regserver.web.site.template import loaded_before

SectionPage = Callable[[Asked, ActTable], Awaitable[OperatorView | Refusal]]


class OperatorPageParts(msgspec.Struct, frozen=True):
    """Its views."""

    overview: OverviewView
    users: UserView
    user_acts: UserActs
    invitations: InvitationView
    rooms: RoomView
    mail: MailView
    steps: StepsView
    webhooks: WebhookView
    limits: LimitView
    audit: AuditView
    keys: KeyView

    @property
    def acts(self) -> ActTable:
        """What can be done at all of them."""
        makers = (
            self.user_acts,
            self.invitations,
            self.rooms,
            self.mail,
            self.steps,
            self.webhooks,
            self.limits,
            self.audit,
            self.keys,
        )
        return ActTable(chain.from_iterable(each.acts() for each in makers))

    @property
    def pages(self) -> Mapping[str, SectionPage]:
        """By address."""
        return {
            "users": self.users.page,
            "user": self.users.one,
            "waiting": self.users.waiting,
            "invitations": self.invitations.page,
            "rooms": self.rooms.page,
            "rooms/{room}": self.rooms.one,
            "mail": self.mail.page,
            "steps": self.steps.page,
            "registration": self.steps.one,
            "webhooks": self.webhooks.page,
            "webhooks/{webhook}": self.webhooks.one,
            "limits": self.limits.page,
            "audit": self.audit.page,
            "keys": self.keys.page,
        }


class OperatorPage:
    """The page with all its sections."""

    def __init__(self, guard: PageGuard, entry: EntryPage, parts: OperatorPageParts) -> None:
        self._guard = guard
        self._entry = entry
        self._parts = parts
        self._acts = parts.acts

    def routes(self) -> tuple[Route, ...]:
        """Entry, acts, and a page for each section."""
        home = self._guard.page(self._parts.overview.page)
        routes = (
            Route(
                "operator.home",
                "GET",
                "/operator",
                home,
                "page",
                described=False,
            ),
            Route("operator.short", "GET", "/admin", self.short, "page", described=False),
            *(self._route(name, page) for name, page in self._parts.pages.items()),
            *self._entry.routes(),
            *ActPage(self._acts, self._guard).routes(),
        )
        return loaded_before(load_operator_templates, routes)

    def _route(self, name: str, page: SectionPage) -> Route:
        endpoint = self._guard.page(partial(_with_acts, page, self._acts))
        return Route(f"operator.{name}", "GET", f"/operator/{name}", endpoint, "page", described=False)

    async def short(self, request: Request) -> Response:
        """Whoever types /admin wants this page; the routes below it are for programs."""
        return redirect(request, "")


async def _with_acts(page: SectionPage, acts: ActTable, asked: Asked) -> OperatorView | Refusal:
    return await page(asked, acts)
