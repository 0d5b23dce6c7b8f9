"""The routes under /login that belong to the room door: sign-up, who is who, deletion, tickets."""

import msgspec

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadEmail, BadPassword, BadUsername, Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.account_service import AccountService
from regserver.service.identity_service import TICKET_TTL, IdentityService
from regserver.service.sign_up_service import SignUpService
from regserver.web.http.answer import NAMED, NO_CONTENT, json
from regserver.web.http.bearer import authorized
from regserver.web.http.body import read_object
from regserver.web.http.idempotency import idempotency_of
from regserver.web.http.route import Answer, Route
from regserver.web.sign_in.endpoint import signed_in


class SignUp(msgspec.Struct, frozen=True):
    username: str
    email: str
    password: str


class AccountApi:
    """The endpoints under /login, sign-in and sign-out apart."""

    def __init__(self, sign_ups: SignUpService, accounts: AccountService, identity: IdentityService) -> None:
        self._sign_ups = sign_ups
        self._accounts = accounts
        self._identity = identity

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("account.register", "POST", "/login/register", self.register, "sign_up", NAMED),
            Route("account.info", "GET", "/login/info", authorized(self.info), "read", NAMED),
            Route("account.id_of", "GET", "/login/userId/{username}", authorized(self.id_of), "read", NAMED),
            Route(
                "account.name_of", "GET", "/login/username/{user_id}", authorized(self.name_of), "read", NAMED
            ),
            Route("account.delete", "DELETE", "/login/delete", authorized(self.delete), "write", NAMED),
            Route("account.ticket", "POST", "/login/ticket", authorized(self.ticket), "write", NAMED),
        )

    async def register(self, request: Request) -> Answer:
        body = _read_sign_up(request)
        if isinstance(body, Refusal):
            return body
        # Without the password: of that nothing is kept but its slow hash.
        idempotency = idempotency_of(request, {"username": body.username, "email": body.email})
        if isinstance(idempotency, Refusal):
            return idempotency
        outcome = await self._sign_ups.register(body.username, body.email, body.password, idempotency)
        return outcome if isinstance(outcome, Refusal) else signed_in(outcome, 201)

    async def info(self, _: Request, token: SecretHash) -> Answer:
        detail = await self._accounts.info(token)
        if isinstance(detail, Refusal):
            return detail
        account = detail.account
        user = {
            "userId": account.id,
            "username": account.username,
            "email": account.email,
            "rooms": detail.rooms,
            "createdAt": iso_seconds(account.created_at),
            "updatedAt": iso_seconds(account.updated_at),
        }
        return json({"user": user})

    async def id_of(self, request: Request, token: SecretHash) -> Answer:
        found = await self._accounts.id_of(token, request.params["username"])
        return found if isinstance(found, Refusal) else json({"userId": found})

    async def name_of(self, request: Request, token: SecretHash) -> Answer:
        found = await self._accounts.name_of(token, request.params["user_id"])
        return found if isinstance(found, Refusal) else json({"username": found})

    async def delete(self, _: Request, token: SecretHash) -> Answer:
        return await self._accounts.delete(token) or NO_CONTENT

    async def ticket(self, _: Request, token: SecretHash) -> Answer:
        ticket = await self._identity.issue_ticket(token)
        if isinstance(ticket, Refusal):
            return ticket
        return json({"ticket": ticket, "expiresIn": TICKET_TTL.whole_seconds})


def _read_sign_up(request: Request) -> SignUp | Refusal:
    """Fields that are no strings, in the contract's order; what is wrong with those that are, the service says."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    email, username, password = fields.get("email"), fields.get("username"), fields.get("password")
    if not isinstance(email, str):
        return BadEmail()
    if not isinstance(username, str):
        return BadUsername()
    return SignUp(username, email, password) if isinstance(password, str) else BadPassword()
