"""The server's name towards push services (RFC 8292): a signed token for each of them, with a key derived from the server's own.

Browsers bind a subscription to the public key, so that nobody else can push to it.
"""

import base64
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from regserver.adapters.push.message_encryption import raw_point
from regserver.adapters.server_key import ServerKey
from regserver.domain.instant import HOUR, Duration, Instant
from regserver.ports.clock import Clock

LIFE = Duration(12 * HOUR)
"""Of a token; a push service takes at most a day."""
RENEWED_AFTER = Duration(6 * HOUR)
MOST_TOKENS = 1000
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HEAD = b'{"typ":"JWT","alg":"ES256"}'


class Vapid:
    """subject: a mailto: or https: address of the operator, for the push service's."""

    def __init__(self, key: ServerKey, clock: Clock, subject: str) -> None:
        # Twice as many bytes as the order has, so that the remainder is uniform (FIPS 186-5, A.2.1).
        drawn = int.from_bytes(key.derive("vapid 1") + key.derive("vapid 2"), "big")
        self._key = ec.derive_private_key(drawn % (_ORDER - 1) + 1, ec.SECP256R1())
        self._clock = clock
        self._subject = subject
        self._tokens: dict[str, tuple[Instant, str]] = {}
        self.public_key = encode_url(raw_point(self._key.public_key()))

    def authorization(self, endpoint: str) -> str:
        """The value of the field Authorization for a request to this endpoint."""
        parts = urlsplit(endpoint)
        return f"vapid t={self._token(f'{parts.scheme}://{parts.netloc}')}, k={self.public_key}"

    def _token(self, audience: str) -> str:
        now = self._clock.now()
        made_at, token = self._tokens.get(audience, (Instant(0), ""))
        if not 0 <= now - made_at < RENEWED_AFTER:
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            token = self._sign(audience, now)
            self._tokens[audience] = now, token
        return token

    def _sign(self, audience: str, now: Instant) -> str:
        claims = {"aud": audience, "exp": (now + LIFE) // 1000, "sub": self._subject}
        signed = f"{encode_url(_HEAD)}.{encode_url(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{encode_url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def encode_url(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
