"""Private keys and signatures of Antelope chains, by libsecp256k1.

A signature must be canonical: neither half may begin with a set bit or a needless zero. About every second one is, and
for one digest there is one signature (RFC 6979): who needs a canonical one changes the transaction and signs again.
"""

import hashlib

import coincurve

from regserver.domain.public_key import CHECKSUM_BYTES, PublicKey, decode_base58, encode_base58
from regserver.domain.ripemd160 import ripemd160

WIF_VERSION = 0x80
PRIVATE_PREFIX = "PVT_K1_"
SIGNATURE_PREFIX = "SIG_K1_"
COMPRESSED = 31
"""What the recovery number is added to in the header byte of a signature by a compressed key."""


class SigningKey:
    """text: a private key as WIF ("5…") or PVT_K1_…. Raises ValueError, which never repeats it."""

    def __init__(self, text: str) -> None:
        secret = _read(text)
        if secret is None:
            raise ValueError("expected a private key, WIF or PVT_K1_…")
        self._key = coincurve.PrivateKey(secret)

    def __repr__(self) -> str:
        return "SigningKey(…)"

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._key.public_key.format())

    def sign(self, digest: bytes) -> str | None:
        """The signature of 32 bytes, as SIG_K1_…; None when it is not canonical."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        if not is_canonical(raw):
            return None
        return format_signature(bytes([COMPRESSED + raw[64]]) + raw[:64])


def is_canonical(raw: bytes) -> bool:
    """Whether both halves (32 bytes each) begin as the chain wants it."""
    return all(half[0] < 0x80 and not (half[0] == 0 and half[1] < 0x80) for half in (raw[:32], raw[32:64]))


def format_signature(raw: bytes) -> str:
    return SIGNATURE_PREFIX + encode_base58(raw + ripemd160(raw + b"K1")[:CHECKSUM_BYTES])


def _read(text: str) -> bytes | None:
    """The 32 secret bytes; None when shape, checksum or range is wrong."""
    if len(text) > 64:
        return None
    if text.startswith(PRIVATE_PREFIX):
        raw = decode_base58(text[len(PRIVATE_PREFIX) :])
        secret, checksum = (raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]) if raw else (b"", b"")
        good = ripemd160(secret + b"K1")[:CHECKSUM_BYTES] == checksum
    else:
        raw = decode_base58(text)
        body, checksum = (raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]) if raw else (b"", b"")
        good = body[:1] == bytes([WIF_VERSION]) and _twice(body)[:CHECKSUM_BYTES] == checksum
        secret = body[1:]
    return secret if good and len(secret) == 32 and any(secret) else None


def _twice(body: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()
