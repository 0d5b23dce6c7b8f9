"""ChaCha20-Poly1305 (RFC 8439), loaded when something is first sealed or opened."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEY_BYTES = 32


class Cipher:
    """key: 32 bytes. Raises ValueError for another length."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._key = key

    @cached_property
    def _cipher(self) -> "ChaCha20Poly1305":
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # 7 MiB

        return ChaCha20Poly1305(self._key)

    def encrypt(self, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag. nonce: 12 bytes, used once. bound: what it opens together with alone."""
        return self._cipher.encrypt(nonce, plain, bound)

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """What was sealed. Raises ValueError when it was sealed with another key or bound otherwise, or changed."""
        cipher = self._cipher
        from cryptography.exceptions import InvalidTag  # loaded with the cipher

        try:
            return cipher.decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise ValueError("it was not sealed so") from None
