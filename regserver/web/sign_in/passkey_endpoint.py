"""The endpoints of passkeys."""

import msgspec

from regserver.domain.outcome import BadPasskey, PasskeyNotFound, PasskeyRefused, Refusal, UserIsDeleted
from regserver.domain.passkey import PasskeySite, passkey_site
from regserver.domain.room import parse_id
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.ports.passkey_table import PasskeyId
from regserver.service.identity_service import Unidentified
from regserver.service.passkey_service import PasskeyService
from regserver.service.reauthentication import ProofRefusal
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import passkey_wire as wire
from regserver.web.sign_in.wire import SessionOpened


class PasskeyApi(msgspec.Struct, frozen=True):
    """Passkeys."""

    passkeys: PasskeyService
    forwarded: ForwardedReader

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        options, remove = pipeline(self.options, wire.read_wish, bearer), pipeline(self.remove, bearer)
        add, sign_in = pipeline(self.add, bearer, wire.read_made), pipeline(self.sign_in, wire.read_answer)
        return (
            Route("account.passkey_options", "POST", "/login/passkey/options", options, "write"),
            Route("account.add_passkey", "POST", "/login/passkey", add, "write"),
            Route("account.remove_passkey", "DELETE", "/login/passkey/{passkey_id}", remove, "write"),
            Route("sign_in.passkey_challenge", "POST", "/login/passkey/challenge", self.challenge, "sign_in"),
            Route("sign_in.passkey", "POST", "/login/passkey/verify", sign_in, "sign_in"),
        )

    async def options(
        self, request: Request, body: wire.PasskeyWish, token: SecretHash
    ) -> wire.CreationOptions | BadPasskey | ProofRefusal:
        """Begin to add a passkey to the asker's account, soon after a sign-in or with the password."""
        asker = asker_of(request, language_of(request))
        found = await self.passkeys.options(token, self._site(request), body.password, asker)
        return found if isinstance(found, Refusal) else msgspec.convert(found, wire.CreationOptions)

    async def add(
        self, request: Request, token: SecretHash, body: wire.PasskeyMade
    ) -> wire.PasskeyAdded | BadPasskey | Unidentified:
        """Add a passkey to the asker's account. Other sessions end."""
        site, answer = self._site(request), wire.answer_json(body)
        outcome = await self.passkeys.add(token, site, answer, body.name)
        return outcome if isinstance(outcome, Refusal) else wire.PasskeyAdded.of(outcome)

    async def remove(self, request: Request, token: SecretHash) -> PasskeyNotFound | Unidentified | None:
        """Remove a passkey of the asker's account. Other sessions end."""
        number = parse_id(request.params["passkey_id"])
        return await self.passkeys.remove(token, None if number is None else PasskeyId(number))

    async def challenge(self, request: Request) -> wire.RequestOptions | PasskeyRefused:
        """Begin to sign in with a passkey."""
        found = self.passkeys.request(self._site(request))
        return found if isinstance(found, Refusal) else msgspec.convert(found, wire.RequestOptions)

    async def sign_in(
        self, request: Request, body: wire.PasskeyAnswer
    ) -> SessionOpened | PasskeyRefused | UserIsDeleted:
        """Sign in with a passkey, which is both factors."""
        asker = asker_of(request, language_of(request))
        outcome = await self.passkeys.sign_in(self._site(request), wire.answer_json(body), asker)
        return outcome if isinstance(outcome, Refusal) else SessionOpened.of(outcome)

    def _site(self, request: Request) -> PasskeySite | None:
        base = self.forwarded.read(request).base
        return passkey_site(base, is_configured=self.forwarded.is_configured)
