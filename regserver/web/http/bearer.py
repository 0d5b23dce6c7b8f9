"""The bearer token of a request (RFC 6750, section 2.1)."""

from collections.abc import Awaitable, Callable

from regserver.domain.outcome import BadAuthType, BadToken, MissingAuth, Refusal
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request
from regserver.web.http.route import Answer, RouteEndpoint


def bearer(request: Request) -> SecretHash | MissingAuth | BadAuthType | BadToken:
    """The hash of the token; the token itself goes no further than this function."""
    header = request.headers.get("authorization")
    if header is None:
        return MissingAuth()
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        return BadAuthType()
    token = token.strip()
    return hash_secret(token) if token else BadToken()


def authorized(act: Callable[[Request, SecretHash], Awaitable[Answer]]) -> RouteEndpoint:
    """An endpoint that looks at nothing before the token. Whose it is, the use case finds out in its transaction."""

    async def endpoint(request: Request) -> Answer:
        token = bearer(request)
        return token if isinstance(token, Refusal) else await act(request, token)

    return endpoint
