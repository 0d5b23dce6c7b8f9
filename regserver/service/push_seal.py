"""The targets of push subscriptions, encrypted: whoever has one can push to it."""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.push import PushTarget
from regserver.ports.randomness import Randomness
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver push 1 "
"""Authenticated with the account, so that a target opens for no other account and no other purpose."""


class PushSeal:
    """ChaCha20-Poly1305 (RFC 8439). key: 32 bytes, derived from a key outside the database."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._cipher = Cipher(key)
        self._randomness = randomness

    def seal(self, account: AccountId, target: PushTarget) -> bytes:
        """A random nonce, then ciphertext and tag."""
        nonce = self._randomness.bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(target), _bound(account))

    def open(self, account: AccountId, sealed: bytes) -> PushTarget | None:
        """The target; None when it was sealed with another key or for another account, or changed."""
        try:
            opened = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(account))
            return msgspec.msgpack.decode(opened, type=PushTarget)
        except (ValueError, msgspec.DecodeError):
            return None


def _bound(account: AccountId) -> bytes:
    return PURPOSE + str(account).encode()
