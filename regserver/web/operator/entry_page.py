"""`/operator/enter`: the form for a key, the form for a one-time link, and the way out.

The secret of a link stands behind its #, so that no server or proxy logs it; the script puts it into the form, which posts it.
"""

from regserver.domain.operator_key import ROLES
from regserver.domain.outcome import BadContentType, BadToken, ForeignOrigin, Refusal, RouteNotFound
from regserver.domain.secret import hash_secret
from regserver.endpoint import Request, Response
from regserver.errors import STATUS
from regserver.service.operator.entry import EntryDesk, PageOpened
from regserver.web.http.asker import asker_of
from regserver.web.http.body import read_form
from regserver.web.http.route import Route
from regserver.web.operator.flash import Announced
from regserver.web.operator.frame import page_language, redirect, words
from regserver.web.operator.guarded import PLACE, PageGuard, fault_words
from regserver.web.operator.session import EntryWay, is_proof, no_session, session_fields

FIRST_NAME = ROLES[0]
"""What the first key is called unless somebody says otherwise."""


class EntryPage:
    """A client of the use cases of the entry."""

    def __init__(self, desk: EntryDesk, guard: PageGuard) -> None:
        self._desk = desk
        self._guard = guard

    def routes(self) -> tuple[Route, ...]:
        """In, out, and the page's files."""
        enter, file = "/operator/enter", "/operator/static/{version}/{file}"
        return (
            Route("operator.door", "GET", enter, self.open, "page", described=False),
            Route("operator.enter", "POST", enter, self.enter, "sign_in", described=False),
            Route("operator.leave", "POST", "/operator/leave", self.leave, "page", described=False),
            Route("operator.file", "GET", file, self.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The two forms."""
        return self._render(request)

    async def enter(self, request: Request) -> Response | BadContentType:
        """Opens a session, and leads to the page."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        door = self._guard.reader.door(request)
        if not self._guard.reader.is_own(request):
            return self._render(request, ForeignOrigin(), form)
        if not door.is_safe:
            return self._render(request, status=403)
        opened = await self._open(request, form)
        if isinstance(opened, Refusal):
            return self._render(request, opened, form)
        fields = session_fields(door, opened.secret)
        if opened.made is not None:
            told = Announced("entered", opened.made.name, opened.made.secret)
            fields += self._guard.frame.flash(door, hash_secret(opened.secret), told)
        place = form.get("to", "")
        return redirect(request, place if PLACE.fullmatch(place) else "", fields)

    async def _open(self, request: Request, form: dict[str, str]) -> PageOpened | Refusal:
        asker = asker_of(request, page_language(request))
        if "link" in form:
            link = form["link"].strip().rpartition("#")[2]
            return await self._desk.enter_by_link(link, form.get("keyName", "").strip(), asker)
        return await self._desk.enter(form.get("key", "").strip(), asker)

    async def leave(self, request: Request) -> Response | BadContentType:
        """Ends the session."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        visit, proof = await self._guard.reader.visit(request), form.get("proof", "")
        if visit is not None and self._guard.reader.is_own(request) and is_proof(visit, proof):
            await self._desk.leave(visit.who.entry)
            return redirect(request, "enter?left", no_session(self._guard.reader.door(request)))
        return redirect(request, "enter")

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        return self._guard.frame.file(request.params["version"], request.params["file"])

    def _render(
        self,
        request: Request,
        refusal: Refusal | None = None,
        form: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """refusal: of what was tried. form: what was typed; a key or link is not shown again."""
        given, t = form or {}, words(request)
        fault = "" if refusal is None else _entry_fault(request, refusal)
        door: EntryWay = self._guard.reader.door(request)
        place = given.get("to") or request.query.partition("to=")[2]
        return self._guard.frame.render(
            request,
            "enter.html",
            status=status if refusal is None else STATUS[type(refusal)],
            fault=fault,
            is_safe=door.is_safe,
            has_left=request.query == "left",
            by_link="link" in given,
            key_name=given.get("keyName", FIRST_NAME),
            place=place if PLACE.fullmatch(place) else "",
            title=t.word["enter"],
        )


def _entry_fault(request: Request, refusal: Refusal) -> str:
    t = words(request)
    return t.fault["wrongKey"] if isinstance(refusal, BadToken) else fault_words(t, refusal)
