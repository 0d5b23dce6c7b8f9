"""Private keys and signatures of Antelope chains, by libsecp256k1.

A signature must be canonical: neither half may begin with a set bit or a needless zero. About every second one is.
RFC 6979 gives one signature for one digest, so a caller that needs a canonical one changes the transaction and signs
again. Packages for these chains (pyntelope, antelopy) have had no release since 2024 and bring clients of their own.
"""

import hashlib

import coincurve

from regserver.domain.public_key import CHECKSUM_BYTES, decode_base58, encode_base58, key_checksum

WIF_VERSION = 0x80
PRIVATE_PREFIX = "PVT_K1_"
SIGNATURE_PREFIX = "SIG_K1_"
COMPRESSED = 31
"""Added to the recovery number in the header byte of a signature by a compressed key."""


class SigningKey:
    """text: a private key as WIF ("5…") or PVT_K1_…. Raises ValueError, whose message does not contain it."""

    def __init__(self, text: str) -> None:
        secret = _read(text)
        if secret is None:
            raise ValueError("expected a private key, WIF or PVT_K1_…")
        self._key = coincurve.PrivateKey(secret)

    def __repr__(self) -> str:
        return "SigningKey(…)"

    def sign(self, digest: bytes) -> str | None:
        """The signature of 32 bytes, as SIG_K1_…; None when it is not canonical."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        if not is_canonical(raw):
            return None
        return format_signature(bytes([COMPRESSED + raw[64]]) + raw[:64])


def is_canonical(raw: bytes) -> bool:
    """Whether both halves, 32 bytes each, have a first byte that the chain accepts."""
    return all(half[0] < 0x80 and not (half[0] == 0 and half[1] < 0x80) for half in (raw[:32], raw[32:64]))


def format_signature(raw: bytes) -> str:
    """The text of 65 bytes: header byte and both halves."""
    return SIGNATURE_PREFIX + encode_base58(raw + key_checksum(raw + b"K1"))


def _read(text: str) -> bytes | None:
    """The 32 secret bytes; None when shape, checksum or range is wrong."""
    if len(text) > 64:
        return None
    if text.startswith(PRIVATE_PREFIX):
        raw = decode_base58(text[len(PRIVATE_PREFIX) :])
        secret, checksum = (raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]) if raw else (b"", b"")
        good = key_checksum(secret + b"K1") == checksum
    else:
        raw = decode_base58(text)
        body, checksum = (raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]) if raw else (b"", b"")
        good = body[:1] == bytes([WIF_VERSION]) and _double_sha256(body)[:CHECKSUM_BYTES] == checksum
        secret = body[1:]
    return secret if good and len(secret) == 32 and any(secret) else None


def _double_sha256(body: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()
