"""The endpoints under /login: sign-in, which may answer with where a registration can be watched, sign-up and accounts."""

import msgspec

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import AccountNotFound, BadId, Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.ports.captcha import CaptchaAnswer
from regserver.service.account_service import AccountService
from regserver.service.deletion_service import DeletionRefusal, DeletionService
from regserver.service.identity_service import TICKET_TTL, IdentityService, SignedIn, Unidentified
from regserver.service.new_person import NewPerson, SignUpRefusal
from regserver.service.sign_in_outcome import Registering, RestoreRefusal, SignInRefusal
from regserver.service.sign_in_service import SignInService
from regserver.service.sign_up_service import SignUpService
from regserver.text import Language
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import wire


class SignInApi(msgspec.Struct, frozen=True):
    """Sign-in and sign-out, sign-up, who is who, deletion, tickets."""

    sign_in: SignInService
    sign_ups: SignUpService
    accounts: AccountService
    deletion: DeletionService
    identity: IdentityService
    forwarded: ForwardedReader

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        login = pipeline(self.login, wire.read_credentials, wire.read_preference, language_of)
        sign_out = pipeline(self.sign_out, bearer, wire.read_sign_out_scope)
        restore = pipeline(self.restore, wire.read_credentials)
        delete = pipeline(self.delete, wire.read_deletion, bearer)
        register = pipeline(self.register, KeyedStep(wire.read_sign_up))
        id_of, name_of = pipeline(self.id_of, bearer), pipeline(self.name_of, bearer)
        return (
            Route("sign_in.login", "POST", "/login", login, "sign_in", hashes=True),
            Route("sign_in.user_login", "POST", "/user/login", login, "sign_in", hashes=True),
            Route("sign_in.sign_out", "DELETE", "/login/token", sign_out, "write"),
            Route("account.register", "POST", "/login/register", register, "sign_up", hashes=True),
            Route("account.info", "GET", "/login/info", pipeline(self.info, bearer), "read"),
            Route("account.id_of", "GET", "/login/userId/{username}", id_of, "read"),
            Route("account.name_of", "GET", "/login/username/{user_id}", name_of, "read"),
            Route("account.delete", "DELETE", "/login/delete", delete, "write", hashes=True),
            Route("account.restore", "POST", "/login/restore", restore, "sign_in", hashes=True),
            Route("account.ticket", "POST", "/login/ticket", pipeline(self.ticket, bearer), "write"),
        )

    async def login(
        self, request: Request, body: wire.Credentials, preference: wire.Preference, language: Language
    ) -> wire.SessionOpened | wire.RegistrationRunning | wire.RegistrationAccepted | SignInRefusal:
        """Sign in.

        The first sign-in of a person whom the data source knows starts a registration, which can be watched.
        """
        asker = asker_of(request, language)
        outcome = await self.sign_in.sign_in(body.username, body.password, asker, body.invitation)
        match outcome:
            case SignedIn():
                return wire.SessionOpened.of(outcome)
            case Registering():
                location = f"{self.forwarded.read(request).socket_base}/register/{outcome.registration}"
                answer = wire.RegistrationAccepted if preference.respond_async else wire.RegistrationRunning
                return answer(location)
            case _:
                return outcome

    async def sign_out(self, _: Request, token: SecretHash, scope: wire.SignOutScope) -> Unidentified | None:
        """Sign out: the token ends."""
        return await self.accounts.sign_out(token, everywhere=scope.all)

    async def register(
        self, request: Request, asked: Keyed[wire.SignUp]
    ) -> wire.AccountOpened | SignUpRefusal:
        """Sign up."""
        who = asked.body
        asker = asker_of(request, language_of(request))
        base = self.forwarded.read(request).base
        answer = CaptchaAnswer(who.captcha, who.captcha_type, request.client)
        person = NewPerson(who.username, who.email, who.password, asker, base, answer, who.invitation)
        outcome = await self.sign_ups.register(person, asked.idempotency)
        return outcome if isinstance(outcome, Refusal) else wire.AccountOpened.of(outcome)

    async def info(self, _: Request, token: SecretHash) -> wire.AccountShown | Unidentified:
        """Show the asker's account."""
        detail = await self.accounts.info(token)
        if isinstance(detail, Refusal):
            return detail
        account = detail.account
        created_at, updated_at = iso_seconds(account.created_at), iso_seconds(account.updated_at)
        return wire.AccountShown(
            wire.AccountBody(
                account.id,
                account.username,
                account.email,
                account.email_verified_at is not None,
                detail.rooms,
                created_at,
                updated_at,
            )
        )

    async def id_of(
        self, request: Request, token: SecretHash
    ) -> wire.UserIdFound | Unidentified | AccountNotFound:
        """Find the id behind a user name."""
        found = await self.accounts.id_of(token, request.params["username"])
        return found if isinstance(found, Refusal) else wire.UserIdFound(found)

    async def name_of(
        self, request: Request, token: SecretHash
    ) -> wire.UsernameFound | Unidentified | BadId | AccountNotFound:
        """Find the user name behind an id."""
        found = await self.accounts.name_of(token, request.params["user_id"])
        return found if isinstance(found, Refusal) else wire.UsernameFound(found)

    async def delete(
        self, request: Request, body: wire.Deletion, token: SecretHash
    ) -> DeletionRefusal | None:
        """Delete the asker's account. Its sockets are closed before the answer.

        For a while it can be restored, then everything about its person is erased.
        """
        asker = asker_of(request, language_of(request))
        return await self.deletion.delete(token, body.password, asker)

    async def restore(self, request: Request, body: wire.Credentials) -> wire.SessionOpened | RestoreRefusal:
        """Restore an account that was deleted a short time ago, and sign in.

        It is as before, but for its rooms, its sessions and the verification of its address.
        """
        asker = asker_of(request, language_of(request))
        outcome = await self.sign_in.restore(body.username, body.password, asker)
        return wire.SessionOpened.of(outcome) if isinstance(outcome, SignedIn) else outcome

    async def ticket(self, _: Request, token: SecretHash) -> wire.TicketIssued | Unidentified:
        """Issue a ticket that opens one WebSocket, where no header field can be sent."""
        ticket = await self.identity.issue_ticket(token)
        return ticket if isinstance(ticket, Refusal) else wire.TicketIssued(ticket, TICKET_TTL.whole_seconds)
