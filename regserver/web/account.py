"""The routes under /login that belong to the room door: sign-up, who is who, deletion, tickets."""

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadContentType, BadEmail, BadJson, BadPassword, BadUsername, Refusal
from regserver.endpoint import Request, Response
from regserver.service.account import AccountService
from regserver.service.identity import TICKET_TTL, IdentityService
from regserver.web.answer import NAMED, NO_CONTENT, json
from regserver.web.bearer import bearer
from regserver.web.body import read_object
from regserver.web.retry import retry_of
from regserver.web.route import Route
from regserver.web.sign_in import signed_in


class AccountDoor:
    """The endpoints under /login, sign-in and sign-out apart."""

    def __init__(self, accounts: AccountService, identity: IdentityService) -> None:
        self._accounts = accounts
        self._identity = identity

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/login/register", self.register, "sign_up", NAMED),
            Route("GET", "/login/info", self.info, "read", NAMED),
            Route("GET", "/login/userId/{username}", self.id_of, "read", NAMED),
            Route("GET", "/login/username/{user_id}", self.name_of, "read", NAMED),
            Route("DELETE", "/login/delete", self.delete, "write", NAMED),
            Route("POST", "/login/ticket", self.ticket, "write", NAMED),
        )

    async def register(self, request: Request) -> Response:
        body = read_object(request)
        if isinstance(body, BadJson | BadContentType):
            return NAMED.refuse(body)
        email, username, password = body.get("email"), body.get("username"), body.get("password")
        if not isinstance(email, str):
            return NAMED.refuse(BadEmail())
        if not isinstance(username, str):
            return NAMED.refuse(BadUsername())
        if not isinstance(password, str):
            return NAMED.refuse(BadPassword())
        retry = retry_of(request, {"username": username, "email": email})
        if isinstance(retry, Refusal):
            return NAMED.refuse(retry)
        outcome = await self._accounts.register(username, email, password, retry)
        return NAMED.refuse(outcome) if isinstance(outcome, Refusal) else signed_in(outcome, 201)

    async def info(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        detail = await self._accounts.info(token)
        if isinstance(detail, Refusal):
            return NAMED.refuse(detail)
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

    async def id_of(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        found = await self._accounts.id_of(token, request.params["username"])
        return NAMED.refuse(found) if isinstance(found, Refusal) else json({"userId": found})

    async def name_of(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        found = await self._accounts.name_of(token, request.params["user_id"])
        return NAMED.refuse(found) if isinstance(found, Refusal) else json({"username": found})

    async def delete(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        refusal = await self._accounts.delete(token)
        return NO_CONTENT if refusal is None else NAMED.refuse(refusal)

    async def ticket(self, request: Request) -> Response:
        token = bearer(request)
        if isinstance(token, Refusal):
            return NAMED.refuse(token)
        ticket = await self._identity.issue_ticket(token)
        if isinstance(ticket, Refusal):
            return NAMED.refuse(ticket)
        return json({"ticket": ticket, "expiresIn": TICKET_TTL.whole_seconds})
