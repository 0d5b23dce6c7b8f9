"""Where webhooks are and the keys of their signatures, encrypted: a server must know both whole."""

import msgspec

from regserver.domain.webhook import WebhookId, WebhookTarget
from regserver.ports.randomness import Randomness
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver webhook 1 "
"""Authenticated with the webhook's number, so that no row opens in place of another."""


class WebhookSeal:
    """ChaCha20-Poly1305 (RFC 8439). key: 32 bytes, derived from a key outside the database."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._cipher = Cipher(key)
        self._randomness = randomness
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(WebhookTarget).decode

    def seal(self, webhook: WebhookId, target: WebhookTarget) -> bytes:
        """A random nonce, then ciphertext and tag."""
        nonce = self._randomness.bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, self._encode(target), _bound(webhook))

    def open(self, webhook: WebhookId, sealed: bytes) -> WebhookTarget | None:
        """The target; None when it was sealed with another key or for another webhook, or changed."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(webhook))
            return self._decode(plain)
        except (ValueError, msgspec.DecodeError):
            return None


def _bound(webhook: WebhookId) -> bytes:
    return PURPOSE + str(webhook).encode()
