"""The directory door: `/{name}/check`, `/init`, `/{challenge}/confirm`, `/{name}/server`, and the message files."""

import hmac
import math
import urllib.parse
from collections.abc import Callable

from regserver.domain.directory import (
    AlreadyConfirmed,
    InvalidChallenge,
    InvalidData,
    InvalidTrustedKey,
    InvalidUserName,
    NoPendingCreation,
    SignUpClosed,
    SignUpNotInvited,
    TooManyPending,
    UnknownUserName,
    WellFormed,
)
from regserver.domain.outcome import BadCaptcha, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request
from regserver.ports.captcha import CaptchaAnswer
from regserver.service.asker import Asker
from regserver.service.directory_account import Allotted
from regserver.service.directory_service import DirectoryService
from regserver.service.guess_guard import GuessGuard
from regserver.service.guess_target import target_key
from regserver.text import Language
from regserver.web.directory import wire
from regserver.web.directory.message import message_file
from regserver.web.directory.wire import STYLE
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import optional_bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.pipeline import RouteEndpoint, pipeline
from regserver.web.http.route import Route


class DirectoryApi:
    """trusted_key: a bearer token that signs users up without a mail; "" allows none.
    take_mail: counts a mail of a client; returns None, or the seconds to wait. guard: bounds guesses of the key.
    """

    def __init__(
        self,
        directory: DirectoryService,
        forwarded: ForwardedReader,
        *,
        trusted_key: str,
        take_mail: Callable[[str], float | None],
        guard: GuessGuard,
    ) -> None:
        self._directory = directory
        self._forwarded = forwarded
        # Hashes have equal lengths, so that the comparison takes constant time.
        self._trusted = hash_secret(trusted_key) if trusted_key else None
        self._take_mail = take_mail
        self._guard = guard

    def routes(self) -> tuple[Route, ...]:
        """The routes of the directory."""
        init = pipeline(self.init, wire.read_creation, optional_bearer)
        return (
            Route("directory.check", "GET", "/{name}/check", self.check, "read", STYLE),
            Route("directory.init", "POST", "/init", init, "write", STYLE, hashes=True),
            Route("directory.confirm", "GET", "/{challenge}/confirm", self.confirm, "write", STYLE),
            Route("directory.post_confirm", "POST", "/{challenge}/confirm", self.confirm, "write", STYLE),
            Route("directory.look", "HEAD", "/{challenge}/confirm", self.look, "read", STYLE),
            Route("directory.server", "GET", "/{name}/server", self.server, "read", STYLE),
            Route("directory.post_server", "POST", "/{name}/server", self.server, "read", STYLE),
            Route("directory.messages_en", "GET", "/messages-en.js", _message_file("en"), "page", STYLE),
            Route("directory.messages_fr", "GET", "/messages-fr.js", _message_file("fr"), "page", STYLE),
        )

    async def check(self, request: Request) -> wire.Existence | InvalidUserName:
        """Tell whether a user name is taken."""
        exists = await self._directory.check(request.params["name"])
        return wire.Existence(exists) if isinstance(exists, bool) else exists

    async def server(self, request: Request) -> wire.Residence | InvalidUserName | UnknownUserName:
        """Find the host that a user lives on."""
        found = await self._directory.server(request.params["name"])
        return found if isinstance(found, Refusal) else self._at(request, found)

    async def init(
        self, request: Request, creation: wire.Creation, key: SecretHash | None
    ) -> (
        wire.SignUpBegun
        | wire.Residence
        | InvalidTrustedKey
        | SignUpClosed
        | SignUpNotInvited
        | InvalidData
        | BadCaptcha
        | TooManyPending
        | TooManyRequests
    ):
        """Begin a sign-up that is confirmed by mail.

        The bearer of the trusted key, where one is configured, signs the user up at once.
        """
        sign_up = self._directory.parse(creation.fields)
        if self._trusted is not None and key is not None:
            refusal = await self._compare(key, self._trusted, asker_of(request, creation.language_code))
            if refusal is not None:
                return refusal
            made = await self._directory.init_trusted(sign_up, request.client, creation.invitation)
            return made if isinstance(made, Refusal) else self._at(request, made)
        if isinstance(sign_up, WellFormed) and (wait := self._take_mail(request.client)) is not None:
            return TooManyRequests(math.ceil(wait))
        base = self._forwarded.read(request).base
        answer = CaptchaAnswer(creation.captcha, creation.captcha_type, request.client)
        begun = await self._directory.init(sign_up, base, request.client, answer, creation.invitation)
        return wire.BEGUN if begun is None else begun

    async def _compare(
        self, key: SecretHash, trusted: SecretHash, asker: Asker
    ) -> InvalidTrustedKey | TooManyRequests | None:
        target = target_key("directory.trusted_key", asker)
        async with self._guard.attempt(target, asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            if not hmac.compare_digest(key, trusted):
                return InvalidTrustedKey()
            await attempt.succeed_alone()
            return None

    async def confirm(
        self, request: Request
    ) -> (
        wire.Residence
        | InvalidChallenge
        | NoPendingCreation
        | AlreadyConfirmed
        | InvalidData
        | SignUpClosed
        | SignUpNotInvited
        | TooManyRequests
    ):
        """Confirm a sign-up with the challenge that was mailed."""
        confirmed = await self._directory.confirm(request.params["challenge"], request.client)
        match confirmed:
            case AlreadyConfirmed(server=server):
                return AlreadyConfirmed(server or self._here(request))
            case Allotted():
                return self._at(request, confirmed)
            case _:
                return confirmed

    async def look(self, request: Request) -> wire.SignUpPending | AlreadyConfirmed | NoPendingCreation:
        """Tell the state of a challenge, without using it, for link checkers."""
        status = await self._directory.challenge_status(request.params["challenge"])
        match status.state:
            case "pending":
                return wire.SignUpPending()
            case "confirmed":
                return AlreadyConfirmed(None)
            case "unknown":
                return NoPendingCreation()

    def _at(self, request: Request, allotted: Allotted) -> wire.Residence:
        return wire.Residence(allotted.server or self._here(request))

    def _here(self, request: Request) -> str:
        """This host's name or address as the client uses it, without port and brackets."""
        return urllib.parse.urlsplit(self._forwarded.read(request).base).hostname or "localhost"


def _message_file(language: Language) -> RouteEndpoint:
    script = wire.Script(body=message_file(language))

    async def serve(_: Request) -> wire.Script:
        """Get the directory's messages as a script."""
        return script

    return serve
