"""The directory door: `/{name}/check`, `/init`, `/{challenge}/confirm`, `/{name}/server`, and the message files.

Refusals are `{message, detail, id}` in English; see `message`.
"""

import hmac
import math
import urllib.parse
from collections.abc import Callable
from typing import Any

from regserver.domain import outcome
from regserver.domain.directory import (
    AlreadyConfirmed,
    DirectoryRefusal,
    InvalidChallenge,
    InvalidData,
    InvalidUserName,
    NoPendingCreation,
    SignUpFields,
    TooManyPending,
    UnknownUserName,
    WellFormed,
)
from regserver.domain.secret import hash_secret
from regserver.endpoint import Request, Response
from regserver.service.directory_service import Allotted, DirectoryService
from regserver.text import LANGUAGES, Language
from regserver.web.directory.message import FAULT_IDS, MESSAGES, MessageId, message_file
from regserver.web.http.answer import json, refusal_fields
from regserver.web.http.bearer import bearer
from regserver.web.http.body import content_type, parse_object, read_object
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import match_language
from regserver.web.http.route import Answer, Route, RouteEndpoint

FORM = "application/x-www-form-urlencoded"
JAVASCRIPT = "text/javascript; charset=utf-8"
MAX_FORM_FIELDS = 50


class DirectoryStyle:
    """How this door words what can be refused at every door."""

    def refuse(self, refusal: outcome.Refusal) -> Response:
        match refusal:
            case outcome.TooManyRequests():
                return say("TOO_MANY_REQUESTS", 429, headers=refusal_fields(refusal))
            case outcome.MethodNotAllowed():
                return say("METHOD_NOT_ALLOWED", 405, headers=refusal_fields(refusal))
            case outcome.BodyTooLarge():
                return say("BODY_TOO_LARGE", 413)
            case outcome.BadContentType():
                return say("BAD_CONTENT_TYPE", 415)
            case outcome.BadJson():
                return say("INVALID_JSON_REQUEST", 400)
            case _:  # a store that cannot answer is a fault of ours too
                return say("INTERNAL_ERROR", 500)


STYLE = DirectoryStyle()


class DirectoryApi:
    """trusted_key: lets its bearer sign users up without a mail; "" switches that off.
    take_mail: counts a mail against the client's allowance; None, or the seconds to wait.
    """

    def __init__(
        self,
        directory: DirectoryService,
        forwarded: ForwardedReader,
        *,
        trusted_key: str,
        take_mail: Callable[[str], float | None],
    ) -> None:
        self._directory = directory
        self._forwarded = forwarded
        # Compared by their hashes: equal lengths, whatever somebody sends.
        self._trusted = hash_secret(trusted_key) if trusted_key else None
        self._take_mail = take_mail

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("directory.check", "GET", "/{name}/check", self.check, "read", STYLE),
            Route("directory.init", "POST", "/init", self.init, "write", STYLE),
            Route("directory.confirm", "GET", "/{challenge}/confirm", self.confirm, "write", STYLE),
            Route("directory.post_confirm", "POST", "/{challenge}/confirm", self.confirm, "write", STYLE),
            Route("directory.look", "HEAD", "/{challenge}/confirm", self.look, "read", STYLE),
            Route("directory.server", "GET", "/{name}/server", self.server, "read", STYLE),
            Route("directory.post_server", "POST", "/{name}/server", self.server, "read", STYLE),
            Route("directory.messages_en", "GET", "/messages-en.js", _message_file("en"), "page", STYLE),
            Route("directory.messages_fr", "GET", "/messages-fr.js", _message_file("fr"), "page", STYLE),
        )

    async def check(self, request: Request) -> Response:
        exists = await self._directory.check(request.params["name"])
        return refused(exists) if isinstance(exists, DirectoryRefusal) else json({"exists": exists})

    async def server(self, request: Request) -> Response:
        found = await self._directory.server(request.params["name"])
        return refused(found) if isinstance(found, DirectoryRefusal) else self._at(request, found)

    async def init(self, request: Request) -> Answer:
        fields = read_sign_up(request)
        if isinstance(fields, outcome.Refusal):
            return fields
        sign_up = self._directory.parse(fields)
        key = bearer(request)
        if self._trusted is not None and not isinstance(key, outcome.Refusal):
            if not hmac.compare_digest(key, self._trusted):
                return say("INVALID_TRUSTED_KEY", 401, headers=(("www-authenticate", "Bearer"),))
            made = await self._directory.init_trusted(sign_up)
            return refused(made) if isinstance(made, DirectoryRefusal) else self._at(request, made)
        if isinstance(sign_up, WellFormed) and (wait := self._take_mail(request.client)) is not None:
            return outcome.TooManyRequests(math.ceil(wait))
        refusal = await self._directory.init(sign_up, self._forwarded.read(request).base)
        return say("INIT_DONE", 200) if refusal is None else refused(refusal)

    async def confirm(self, request: Request) -> Response:
        confirmed = await self._directory.confirm(request.params["challenge"])
        if isinstance(confirmed, AlreadyConfirmed):
            return say("ALREADY_CONFIRMED", 400, {"server": confirmed.server or self._here(request)})
        return refused(confirmed) if isinstance(confirmed, DirectoryRefusal) else self._at(request, confirmed)

    async def look(self, request: Request) -> Response:
        """HEAD: what the challenge is good for, without using it, as link checkers ask."""
        standing = await self._directory.challenge_status(request.params["challenge"])
        match standing.state:
            case "pending":
                return Response(status=200)
            case "confirmed":
                return say("ALREADY_CONFIRMED", 400)
            case "unknown":
                return say("NO_PENDING_CREATION", 404)

    def _at(self, request: Request, allotted: Allotted) -> Response:
        return json({"server": allotted.server or self._here(request)})

    def _here(self, request: Request) -> str:
        """This host, as the client knows it: a name or an address, without port or brackets."""
        return urllib.parse.urlsplit(self._forwarded.read(request).base).hostname or "localhost"


def say(
    message: MessageId,
    status: int,
    more: dict[str, Any] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    return json({**_entry(message), **(more or {})}, status, headers)


def refused(refusal: DirectoryRefusal) -> Response:
    """This door's own refusals; AlreadyConfirmed is worded where the host is known."""
    match refusal:
        case InvalidUserName():
            return say("INVALID_USER_NAME", 400)
        case UnknownUserName():
            return say("UNKOWN_USER_NAME", 404)
        case InvalidChallenge():
            return say("INVALID_CHALLENGE", 400)
        case NoPendingCreation():
            return say("NO_PENDING_CREATION", 404)
        case InvalidData(faults=faults):
            return say("INVALID_DATA", 400, {"errors": [_entry(FAULT_IDS[fault]) for fault in faults]})
        case TooManyPending(retry_after=seconds):
            return STYLE.refuse(outcome.TooManyRequests(seconds))
        case _:
            raise TypeError(type(refusal))


def _entry(message: MessageId) -> dict[str, Any]:
    text = MESSAGES[message]
    return {"message": text.message, "detail": text.detail, "id": message}


def read_sign_up(request: Request) -> SignUpFields | outcome.Refusal:
    """The fields of a JSON or form body; one that is absent or no string is None, and judged with the others."""
    fields = _fields(request)
    if isinstance(fields, outcome.Refusal):
        return fields

    def field(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) else None

    # The code alone decides: a sign-up comes from a program, whose Accept-Language says little of the user.
    language = match_language(field("languageCode") or "", LANGUAGES) or LANGUAGES[0]
    return SignUpFields(field("userName"), field("password"), field("email"), language)


def _fields(request: Request) -> dict[str, Any] | outcome.BadJson | outcome.BadContentType:
    if content_type(request) != FORM:
        return read_object(request)
    # `curl -d '{…}'` declares a form unless it is told otherwise: what starts like an object is read as one.
    if request.body.lstrip().startswith(b"{"):
        return parse_object(request.body)
    try:
        text = request.body.decode()
        return dict(
            urllib.parse.parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
            )
        )
    except ValueError:  # no UTF-8, escaped or not, or more fields than that
        return outcome.BadJson()


def _message_file(language: Language) -> RouteEndpoint:
    response = Response(
        body=message_file(language),
        content_type=JAVASCRIPT,
        headers=(("cache-control", "public, max-age=3600"),),
    )

    async def serve(request: Request) -> Response:
        return response

    return serve
