"""The encryption of a push message for its receiver (RFC 8291), so that the push service cannot read it."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096
"""Of the whole body (RFC 8291, section 4): push services take as many at least."""
SALT_BYTES = 16
PADDED_TO = 256
"""A message is padded to a multiple of this, so that its length tells little."""
OVERHEAD = SALT_BYTES + 4 + 1 + 65 + 1 + 16
MAX_PAYLOAD_BYTES = RECORD_BYTES - OVERHEAD


def is_public_key(point: bytes) -> bool:
    """Whether these bytes are an uncompressed point of P-256."""
    try:
        _public_key(point)
    except ValueError:
        return False
    return len(point) == 65


def encrypt_message(
    payload: bytes,
    receiver: tuple[bytes, bytes],
    sender: ec.EllipticCurvePrivateKey,
    salt: bytes,
    padded_to: int = PADDED_TO,
) -> bytes:
    """The body of a request with the encoding aes128gcm. payload: at most MAX_PAYLOAD_BYTES.

    receiver: its public key, and the secret shared with it. sender: a key of this message alone. salt: 16 random bytes.
    """
    point, secret = receiver
    own = raw_point(sender.public_key())
    shared = sender.exchange(ec.ECDH(), _public_key(point))
    key = _derive(shared, secret, b"WebPush: info\0" + point + own, 32)
    content_key = _derive(key, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(key, salt, b"Content-Encoding: nonce\0", 12)
    padding = min(-(len(payload) + 1) % padded_to, MAX_PAYLOAD_BYTES - len(payload))
    record = AESGCM(content_key).encrypt(nonce, payload + b"\x02" + bytes(padding), None)
    return salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(own)]) + own + record


def raw_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point, as Web Push writes keys."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
