"""Public keys in the text form of Antelope (EOSIO) and Golos chains: base58 of a compressed curve point and a checksum.

    GLS… or EOS…   base58 of 33 bytes and the first 4 of RIPEMD-160(key)
    PUB_K1_…       base58 of 33 bytes and the first 4 of RIPEMD-160(key + "K1")

Both forms parse to the same key. The caller passes `on_curve`, since checking a point of secp256k1 needs a library. base58
is written by hand: it takes ten lines, and its libraries have had no release since 2021.

RIPEMD-160 comes from OpenSSL; some builds lack it (3.0 before 3.0.7, FIPS), and the server does not start with them. The
checksum detects typing errors, not attacks.
"""

import hashlib
from collections.abc import Callable
from typing import NewType

PublicKey = NewType("PublicKey", bytes)
"""A compressed point of secp256k1, 33 bytes."""

KEY_BYTES = 33
CHECKSUM_BYTES = 4
LEGACY_PREFIXES = ("GLS", "EOS")
K1_PREFIX = "PUB_K1_"
MAX_TEXT_LENGTH = 64

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}


def parse_public_key(text: str, on_curve: Callable[[bytes], bool]) -> PublicKey | None:
    """The key of a text; None when form, checksum or point is wrong. on_curve: whether 33 bytes are a compressed point."""
    if len(text) > MAX_TEXT_LENGTH:
        return None
    if text.startswith(K1_PREFIX):
        key = _unpack(text[len(K1_PREFIX) :], b"K1")
    elif text.startswith(LEGACY_PREFIXES):
        key = _unpack(text[3:], b"")
    else:
        return None
    return PublicKey(key) if key is not None and on_curve(key) else None


def format_public_key(key: PublicKey, prefix: str = K1_PREFIX) -> str:
    """The text of a key: "PUB_K1_…", or the legacy form with another prefix."""
    suffix = b"K1" if prefix == K1_PREFIX else b""
    return prefix + encode_base58(key + key_checksum(key + suffix))


def key_checksum(raw: bytes) -> bytes:
    """The first four bytes of RIPEMD-160. Raises ValueError with a build of OpenSSL that lacks it."""
    return hashlib.new("ripemd160", raw, usedforsecurity=False).digest()[:CHECKSUM_BYTES]


def has_ripemd160() -> bool:
    """Whether this Python's OpenSSL can compute the checksum of keys."""
    try:
        key_checksum(b"")
    except ValueError:
        return False
    return True


def _unpack(text: str, suffix: bytes) -> bytes | None:
    raw = decode_base58(text)
    if raw is None or len(raw) != KEY_BYTES + CHECKSUM_BYTES:
        return None
    key, checksum = raw[:KEY_BYTES], raw[KEY_BYTES:]
    return key if key_checksum(key + suffix) == checksum else None


def encode_base58(raw: bytes) -> str:
    """Base58 with Bitcoin's alphabet; each leading zero byte is a "1"."""
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def decode_base58(text: str) -> bytes | None:
    """The bytes of a base58 text; None when a character is not in the alphabet. Quadratic: callers bound the length."""
    number = 0
    for letter in text:
        if letter not in _VALUE:
            return None
        number = number * 58 + _VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
