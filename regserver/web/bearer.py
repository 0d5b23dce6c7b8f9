"""The bearer token of a request (RFC 6750, section 2.1)."""

from regserver.domain.outcome import BadAuthType, BadToken, MissingAuth
from regserver.domain.secret import SecretHash, hash_secret
from regserver.endpoint import Request


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
