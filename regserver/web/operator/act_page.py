"""`/operator/do/NAME`: the form of an act, and doing it.

    GET    what it does, with fields to fill in and a button
    POST   is the form our own? → the act → 303 to the next page, which tells it once; or the form again, with what is wrong

Every act is a use case of the services, which look the key up again and write the audit.
"""

from regserver.domain.outcome import BadContentType, BadToken, ForeignOrigin, Refusal, RouteNotFound
from regserver.endpoint import Request, Response
from regserver.errors import STATUS
from regserver.web.http.body import read_form
from regserver.web.http.route import Route
from regserver.web.operator.act import INPUTS, ActTable, PageAct, Values, act_inputs
from regserver.web.operator.flash import Announced, FormAnswers
from regserver.web.operator.frame import redirect
from regserver.web.operator.guarded import Asked, PageGuard, fault_words
from regserver.web.operator.session import is_proof
from regserver.web.operator.view import ActBlock, OperatorView, PageLink

MOST_VALUE = 4096
"""Characters of a field."""


class ActPage:
    """Serves all acts."""

    def __init__(self, acts: ActTable, guard: PageGuard) -> None:
        self._acts = acts
        self._guard = guard
        self._answers = FormAnswers()

    def routes(self) -> tuple[Route, ...]:
        """Forms, and what they send. An act may set a password."""
        do = "/operator/do/{act}"
        return (
            Route("operator.form", "GET", do, self.form, "page", described=False),
            Route("operator.do", "POST", do, self.do, "operator", hashes=True, described=False),
        )

    async def form(self, request: Request) -> Response | RouteNotFound:
        """The form of an act."""
        asked, act = await self._guard.asked(request), self._acts.find(request.params["act"])
        if isinstance(asked, Response):
            return asked
        if act is None or not asked.visit.may(act.operation):
            return self._guard.refuse(asked, RouteNotFound())
        return self._show(asked, act, {name: asked.query(name)[:MOST_VALUE] for name in act.fields}, None)

    async def do(self, request: Request) -> Response | BadContentType | RouteNotFound:
        """Does it, once, however often the same form comes."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        asked, act = await self._guard.asked(request), self._acts.find(request.params["act"])
        if isinstance(asked, Response):
            return asked
        if not self._guard.reader.is_own(request) or not is_proof(asked.visit, form.get("proof", "")):
            return self._guard.refuse(asked, ForeignOrigin())
        if act is None:
            return self._guard.refuse(asked, RouteNotFound())
        number = (asked.visit.who.entry, form.get("form", "")[:64])
        async with self._answers.turn(number) as earlier:
            if earlier is not None:
                return earlier
            answer = await self._do(asked, act, form)
            if answer.status == 303 and number[1]:
                self._answers.keep(number, answer)
            return answer

    async def _do(self, asked: Asked, act: PageAct, form: Values) -> Response:
        values = {name: _value(name, form)[:MOST_VALUE] for name in act.fields}
        done = await act.run(asked.visit.who, values)
        if isinstance(done, BadToken):
            return self._guard.to_entry(asked.request, asked.door)
        if isinstance(done, Refusal):
            return self._show(asked, act, values, done)
        told = Announced(act.name, done.thing, done.secret)
        fields = self._guard.frame.flash(asked.door, asked.visit.who.entry, told)
        return redirect(asked.request, done.to, fields)

    def _show(self, asked: Asked, act: PageAct, values: Values, refusal: Refusal | None) -> Response:
        t = asked.t
        text = t.act[act.name]
        block = ActBlock(
            act=act.name,
            lead=text.text,
            thing=next((values[name] for name in act.fields if name not in act.inputs), ""),
            inputs=act_inputs(act, t, values),
            button=text.button,
            back=PageLink(act.back(values), t.word["cancel"]),
            fault="" if refusal is None else fault_words(t, refusal),
            is_danger=act.is_danger,
        )
        view = OperatorView(text.title, act.back(values).partition("/")[0].partition("?")[0], (block,))
        status = 200 if refusal is None else STATUS.get(type(refusal), 400)
        return self._guard.frame.show(asked.request, asked.door, asked.visit, view, status=status)


def _value(name: str, form: Values) -> str:
    """What was typed, without the blanks around it; those of a password are its own."""
    text, row = form.get(name, ""), INPUTS.get(name)
    return text if row is not None and row.input == "password" else text.strip()
