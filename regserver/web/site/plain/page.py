"""`/plain`: signing in, the own account, a registration and recovery for browsers without scripts.

    GET  /plain                the account of whoever is signed in; for others the forms
    POST /plain/sign-in        303 to /plain, or to the registration; else the form again, with what was wrong
    POST /plain/factor         the second step
    POST /plain/restore        brings a deleted account back, as the answer to a sign-in offers
    GET  /plain/registration   what has happened so far, loaded anew every two seconds; at the end 303 to /plain
    POST /plain/recover        asks for the mail whose link opens /recover
    POST /plain/sign-out       ends this session, or the one that the form names

It is a client of the other doors, and decides nothing by itself.
"""

from functools import partial
from typing import Any

from regserver.endpoint import Request, Response
from regserver.ports.randomness import Randomness
from regserver.web.http.answer import HeaderFields
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.route import Route
from regserver.web.http.session_cookie import SESSION, CookieJar
from regserver.web.site.plain.client import DoorAnswer, DoorClient
from regserver.web.site.plain.form import COOKIE, FormSecret, own_form
from regserver.web.site.plain.sheet import TEMPLATE, PlainSheet, redirect
from regserver.web.site.template import load_template, loaded_before

REGISTRATION = "regserver-registration"
REGISTRATION_SECONDS = 600
REFRESH_SECONDS = 2
DEFAULT_SECONDS = 10 * 86_400
"""Of the cookie after a registration, whose end does not tell how long the session lives; the server knows it anyway."""


class PlainApi:
    """sheet: renders. doors: what it is a client of."""

    def __init__(
        self, sheet: PlainSheet, doors: DoorClient, forwarded: ForwardedReader, randomness: Randomness
    ) -> None:
        self._sheet = sheet
        self._doors = doors
        self._forwarded = forwarded
        self._randomness = randomness

    def routes(self) -> tuple[Route, ...]:
        """All of them, and the files."""
        routes = (
            Route("plain.show", "GET", "/plain", self.show, "page", described=False),
            Route("plain.sign_in", "POST", "/plain/sign-in", self.sign_in, "page", described=False),
            Route("plain.factor", "POST", "/plain/factor", self.factor, "page", described=False),
            Route("plain.restore", "POST", "/plain/restore", self.restore, "page", described=False),
            Route("plain.watch", "GET", "/plain/registration", self.watch, "page", described=False),
            Route("plain.recover", "POST", "/plain/recover", self.recover, "page", described=False),
            Route("plain.sign_out", "POST", "/plain/sign-out", self.sign_out, "page", described=False),
            Route("plain.file", "GET", "/plain/static/{file}", self._sheet.file, "page", described=False),
        )
        return loaded_before(partial(load_template, TEMPLATE), routes)

    async def show(self, request: Request) -> Response:
        """The account, or the forms."""
        jar = self._jar(request)
        token = jar.read(SESSION)
        if not token:
            return self._render(request, "sign-in")
        answer = await self._doors.ask(request, "GET", "/login/info", token=token)
        if answer.code:
            gone = (jar.drop(SESSION),) if answer.status in {401, 403, 410} else ()
            return self._render(request, "sign-in", answer, gone)
        listed = await self._doors.ask(request, "GET", "/login/sessions", token=token)
        return self._render(
            request, "account", user=answer.body["user"], sessions=listed.body.get("sessions", [])
        )

    # --- signing in and out
    async def sign_in(self, request: Request) -> Response:
        """By a password."""
        return await self._by_password(request, "/login")

    async def restore(self, request: Request) -> Response:
        """A deleted account, by its password once more: no page holds what was typed before."""
        return await self._by_password(request, "/login/restore")

    async def _by_password(self, request: Request, path: str) -> Response:
        fields = own_form(request, self._jar(request))
        if fields is None:
            return self._render(request, "expired", status=403)
        credentials = {name: fields.get(name, "") for name in ("username", "password")}
        answer = await self._doors.ask(request, "POST", path, credentials)
        return await self._entered(request, answer, fields, "sign-in")

    async def factor(self, request: Request) -> Response:
        """By the code of a second factor."""
        fields = own_form(request, self._jar(request))
        if fields is None:
            return self._render(request, "expired", status=403)
        step = {"ticket": fields.get("ticket", ""), "code": fields.get("code", "").strip()}
        answer = await self._doors.ask(request, "POST", "/login/factor", step)
        return await self._entered(request, answer, fields, "factor")

    async def _entered(
        self, request: Request, answer: DoorAnswer, fields: dict[str, str], view: str
    ) -> Response:
        """Where the answer to a sign-in leads. view: where its refusal is told."""
        jar, stays = self._jar(request), "remember" in fields
        if answer.code == "SecondFactorRequired":
            return self._render(request, "factor", ticket=answer.body["ticket"], stays=stays, status=200)
        if until := answer.body.get("restorableUntil"):
            who = fields.get("username", "")
            return self._render(request, "restore", username=who, until=until, stays=stays, status=200)
        if answer.code:
            ticket = fields.get("ticket", "")
            return self._render(request, view, answer, ticket=ticket, stays=stays)
        if "location" in answer.body:
            place = str(answer.body["location"]).rpartition("/")[2]
            kept = jar.keep(REGISTRATION, f"{place}.{int(stays)}", REGISTRATION_SECONDS)
            return redirect(request, "plain/registration", (kept,))
        return await self._signed_in(request, answer.body, stays=stays)

    async def _signed_in(self, request: Request, issued: dict[str, Any], *, stays: bool) -> Response:
        jar = self._jar(request)
        if earlier := jar.read(SESSION):
            await self._doors.ask(request, "DELETE", "/login/token", token=earlier)
        seconds = int(issued.get("expiresIn", DEFAULT_SECONDS))
        kept = jar.keep(SESSION, str(issued["token"]), seconds if stays else None)
        return redirect(request, "plain", (kept, jar.drop(REGISTRATION)))

    async def sign_out(self, request: Request) -> Response:
        """Ends this session, or another one of the account."""
        jar = self._jar(request)
        fields, token = own_form(request, jar), jar.read(SESSION)
        if fields is None:
            return self._render(request, "expired", status=403)
        if (other := fields.get("session", "")).isdecimal():
            await self._doors.ask(request, "DELETE", f"/login/sessions/{other}", token=token)
            return redirect(request, "plain")
        await self._doors.ask(request, "DELETE", "/login/token", token=token)
        return redirect(request, "plain", (jar.drop(SESSION),))

    # --- a registration
    async def watch(self, request: Request) -> Response:
        """What has happened so far."""
        jar = self._jar(request)
        place, _, stays = jar.read(REGISTRATION).partition(".")
        events = await self._doors.events(request, place) if place else None
        if events is None:
            return self._render(request, "unknown", fields=(jar.drop(REGISTRATION),), status=404)
        last = events[-1] if events else {}
        if last.get("eventType") == "AUTHENTICATION":
            return await self._signed_in(request, last["additionalData"], stays=stays == "1")
        is_over = last.get("eventType") == "FAILURE"
        fields = (jar.drop(REGISTRATION),) if is_over else (("refresh", str(REFRESH_SECONDS)),)
        return self._render(request, "failed" if is_over else "registration", fields=fields, events=events)

    # --- a forgotten password
    async def recover(self, request: Request) -> Response:
        """Asks for the mail; the answer is the same whether there is such an account or not."""
        fields = own_form(request, self._jar(request))
        if fields is None:
            return self._render(request, "expired", status=403)
        who = fields.get("who", "").strip()
        body = {"email" if "@" in who else "username": who}
        answer = await self._doors.ask(request, "POST", "/login/recover", body)
        return self._render(request, "sign-in" if answer.code else "sent", answer)

    def _jar(self, request: Request) -> CookieJar:
        return CookieJar.of(request, self._forwarded.read(request).base)

    def _render(
        self,
        request: Request,
        view: str,
        answer: DoorAnswer | None = None,
        fields: HeaderFields = (),
        status: int | None = None,
        **values: Any,
    ) -> Response:
        jar = self._jar(request)
        secret = FormSecret.of(jar, self._randomness)
        if secret.is_new:
            fields = (*fields, jar.keep(COOKIE, secret.value, None))
        return self._sheet.render(request, view, answer, (fields, status), secret=secret.value, **values)
