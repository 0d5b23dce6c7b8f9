"""The bearer token of a request (RFC 6750, section 2.1)."""

from regserver.domain.command_ticket import PREFIX
from regserver.domain.outcome import BadAuthType, BadToken, MissingAuth, Refusal
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request


def bearer(request: Request) -> SecretHash | MissingAuth | BadAuthType | BadToken:
    """The hash of the token."""
    field = request.headers.get("authorization")
    return MissingAuth() if field is None else bearer_in(field)


def bearer_text(request: Request) -> str:
    """The token itself, of a request that `bearer` has taken; only to hand it back to whoever sent it."""
    return request.headers["authorization"].strip().partition(" ")[2].strip()


def bearer_in(field: str) -> SecretHash | BadAuthType | BadToken:
    """The hash of the token in an Authorization field."""
    scheme, _, token = field.strip().partition(" ")
    if scheme.lower() != "bearer":
        return BadAuthType()
    token = token.strip()
    return hash_secret(token) if token else BadToken()


def ticket_in(field: str) -> str | None:
    """The ticket of a command in an Authorization field that has a bearer token; None where it is another token."""
    token = field.strip().partition(" ")[2].strip()
    return token if token.startswith(PREFIX) else None


def optional_bearer(request: Request) -> SecretHash | None:
    """The hash of the token; None without a valid Authorization field."""
    found = bearer(request)
    return None if isinstance(found, Refusal) else found
