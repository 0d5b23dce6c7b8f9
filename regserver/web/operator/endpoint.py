"""All routes of the operator's page."""

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from regserver.domain.outcome import Refusal
from regserver.endpoint import Request, Response
from regserver.web.http.route import Route
from regserver.web.operator.act import ActTable
from regserver.web.operator.act_page import ActPage
from regserver.web.operator.entry_page import EntryPage
from regserver.web.operator.frame import redirect
from regserver.web.operator.guarded import Asked, PageGuard
from regserver.web.operator.key_view import KeyView
from regserver.web.operator.overview_view import OverviewView
from regserver.web.operator.view import OperatorView

PageView = Callable[[Asked, ActTable], Awaitable[OperatorView | Refusal]]


class OperatorPageParts(msgspec.Struct, frozen=True):
    """Its views."""

    overview: OverviewView
    keys: KeyView


class OperatorPage:
    """The page with all its sections."""

    def __init__(self, guard: PageGuard, entry: EntryPage, parts: OperatorPageParts) -> None:
        self._guard = guard
        self._entry = entry
        self._parts = parts
        self._acts = ActTable(parts.keys.acts())

    def routes(self) -> tuple[Route, ...]:
        """Entry, acts, and a page for each section."""
        parts = self._parts
        pages: dict[str, PageView] = {"keys": parts.keys.page}
        return (
            Route(
                "operator.home",
                "GET",
                "/operator",
                self._guard.page(parts.overview.page),
                "page",
                described=False,
            ),
            Route("operator.short", "GET", "/admin", self.short, "page", described=False),
            *(self._route(name, page) for name, page in pages.items()),
            *self._entry.routes(),
            *ActPage(self._acts, self._guard).routes(),
        )

    def _route(self, name: str, page: PageView) -> Route:
        endpoint = self._guard.page(partial(_with_acts, page, self._acts))
        return Route(f"operator.{name}", "GET", f"/operator/{name}", endpoint, "page", described=False)

    async def short(self, request: Request) -> Response:
        """Whoever types /admin wants this page; the routes below it are for programs."""
        return redirect(request, "")


async def _with_acts(page: PageView, acts: ActTable, asked: Asked) -> OperatorView | Refusal:
    return await page(asked, acts)
