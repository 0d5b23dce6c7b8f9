"""Private keys and signatures of Antelope chains, by libsecp256k1.

A signature must be canonical: neither half may begin with a set bit or a needless zero. About every second one is.
RFC 6979 gives one signature for one digest, so a caller that needs a canonical one changes the transaction and signs
again. Packages for these chains (pyntelope, antelopy) have had no release since 2024 and bring clients of their own.
"""

import hashlib

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
        import coincurve  # 1 MiB, 3 ms

        self._key = coincurve.PrivateKey(secret)

    def __repr__(self) -> str:
        return "SigningKey(…)"

    def sign(self, digest: bytes) -> str | None:
        """The signature of 32 bytes, as SIG_K1_…; None when it is not canonical."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        if not is_canonical(raw):
            return None
        signature = bytes([COMPRESSED + raw[64]]) + raw[:64]
        return SIGNATURE_PREFIX + encode_base58(signature + key_checksum(signature + b"K1"))


def is_canonical(raw: bytes) -> bool:
    """Whether both halves, 32 bytes each, have a first byte that the chain accepts."""
    return all(half[0] < 0x80 and not (half[0] == 0 and half[1] < 0x80) for half in (raw[:32], raw[32:64]))


def on_curve(key: bytes) -> bool:
    """Whether the 33 bytes are a compressed point of secp256k1."""
    import coincurve  # as above

    try:
        coincurve.PublicKey(key)
    except ValueError:
        return False
    return len(key) == 33


def _read(text: str) -> bytes | None:
    """The 32 secret bytes; None when shape, checksum or range is wrong."""
    if len(text) > 64:
        return None
    raw = decode_base58(text.removeprefix(PRIVATE_PREFIX)) or b""
    body, checksum = raw[:-CHECKSUM_BYTES], raw[-CHECKSUM_BYTES:]
    if text.startswith(PRIVATE_PREFIX):
        secret, good = body, key_checksum(body + b"K1") == checksum
    else:
        twice = hashlib.sha256(hashlib.sha256(body).digest()).digest()
        secret, good = body[1:], body[:1] == bytes([WIF_VERSION]) and twice[:CHECKSUM_BYTES] == checksum
    return secret if good and len(secret) == 32 and any(secret) else None
