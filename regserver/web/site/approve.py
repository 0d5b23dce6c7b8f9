"""`/approve`: the page behind the operator's link, its form, and the request of its script."""

from typing import Literal

from regserver.domain.account import Account
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadContentType, BadLink, Refusal
from regserver.endpoint import Request, Response
from regserver.service.approval import ApprovalDesk
from regserver.text import CATALOGUES
from regserver.web.http.body import Unreadable, read_form
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage, LinkState, link_state

ApproveState = Literal["ask", "done", "unknown"]

STATUS: dict[ApproveState, int] = {"ask": 200, "done": 200, "unknown": 404}


class ApprovePage:
    """A client of the use cases of approvals."""

    def __init__(self, desk: ApprovalDesk, brand: Brand = PLAIN) -> None:
        self._desk = desk
        self._page = LinkPage("approve", "approve.html", brand)

    def routes(self) -> tuple[Route, ...]:
        """The routes below /approve."""
        return self._page.with_template(
            Route("approve.open", "GET", "/approve", self.open, "page", described=False),
            Route("approve.approve", "POST", "/approve", self.approve, "write", described=False),
            Route("approve.status", "POST", "/approve/standing", self.status, "read", described=False),
            Route("approve.file", "GET", "/approve/static/{file}", self._page.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the approval, the same for every link."""
        return self._render(request, "ask")

    async def approve(self, request: Request) -> Response | BadContentType:
        """Approves, and answers the form with a page that says the result."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        outcome = await self._desk.approve(form.get("token", "").strip())
        if isinstance(outcome, BadLink):
            return self._render(request, "unknown")
        return self._render(request, "done", outcome)

    async def status(self, request: Request) -> LinkState | Unreadable:
        """Whom the link in the body would approve, with the page's text; changes nothing."""
        return await link_state(request, CATALOGUES[language_of(request)].approve.state, self._look)

    async def _look(self, token: str) -> dict[str, str] | None:
        account = await self._desk.look(token)
        return None if account is None else _values(account)

    def _render(self, request: Request, state: ApproveState, username: str = "") -> Response:
        text = CATALOGUES[language_of(request)].approve
        passage = text.state[state]
        return self._page.render(
            request, STATUS[state], t=text, state=state, passage=passage, username=username
        )


def _values(account: Account) -> dict[str, str]:
    """What the page says of the account that waits."""
    when = iso_seconds(account.created_at)[:16].replace("T", " ")
    email = account.email or "—"
    return {"name": account.username, "door": account.origin, "email": email, "when": f"{when} UTC"}
