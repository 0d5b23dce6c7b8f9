"""How a command shows the running server that it may ask: a request that is signed with a key of the server's own key file.

    Authorization: Bearer regs_cmd_<name and time, in Base64>.<HMAC of name, time, method, target and body>

Whoever reads that file could do everything without the server. A ticket is good for one request of one minute, so whoever
listens at the address of a server that is down learns nothing that can be used for anything else.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from regserver.domain.instant import MINUTE, Instant

PREFIX = "regs_cmd_"
GOOD_FOR = MINUTE
MAX_NAME_LENGTH = 64

_encode = msgspec.json.Encoder().encode


class SignedRequest(msgspec.Struct, frozen=True):
    """A request that a command signs. body: its hash."""

    method: str
    target: str
    body: bytes


class _Claim(msgspec.Struct, frozen=True, array_like=True):
    name: str
    at: int


_decode = msgspec.json.Decoder(_Claim).decode


def request_to_sign(method: str, target: str, body: bytes) -> SignedRequest:
    """target: the path, with the query."""
    return SignedRequest(method, target, hashlib.sha256(body).digest())


class TicketSeal:
    """key: 32 bytes for tickets alone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def ticket(self, name: str, now: Instant, asked: SignedRequest) -> str:
        """A bearer token for one request. name: of the system's user."""
        claim = _Claim(name[:MAX_NAME_LENGTH], now)
        text = base64.urlsafe_b64encode(_encode(claim)).decode().rstrip("=")
        return f"{PREFIX}{text}.{self._mac(claim, asked)}"

    def name_of(self, ticket: str, now: Instant, asked: SignedRequest) -> str | None:
        """Who has made the ticket for this request; None where nobody of ours has, or it is too old."""
        text, _, mac = ticket.removeprefix(PREFIX).partition(".")
        try:
            claim = _decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (msgspec.DecodeError, binascii.Error, ValueError):
            return None
        # In bytes, since a foreign ticket may have any characters.
        if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), self._mac(claim, asked).encode()):
            return None
        return claim.name if abs(now - claim.at) <= GOOD_FOR else None

    def _mac(self, claim: _Claim, asked: SignedRequest) -> str:
        words = _encode([claim.name, claim.at, asked.method, asked.target, asked.body.hex()])
        return hmac.digest(self._key, words, "sha256").hex()
