"""The shared secrets of authenticator apps, encrypted: unlike a password, a server must know them whole."""

from regserver.domain.account import AccountId
from regserver.ports.randomness import Randomness
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver totp 1 "
"""Authenticated with the account, so that a secret opens for no other account and no other purpose."""


class FactorSeal:
    """ChaCha20-Poly1305 (RFC 8439). key: 32 bytes, derived from a key outside the database."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._cipher = Cipher(key)
        self._randomness = randomness

    def seal(self, account: AccountId, secret: str) -> bytes:
        """A random nonce, then ciphertext and tag."""
        nonce = self._randomness.bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), _bound(account))

    def open(self, account: AccountId, sealed: bytes) -> str | None:
        """The secret; None when it was sealed with another key or for another account, or changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(account)).decode()
        except ValueError:
            return None


def _bound(account: AccountId) -> bytes:
    return PURPOSE + str(account).encode()
