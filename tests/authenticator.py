"""An authenticator in software, and the browser in front of it: answers as real ones make them (WebAuthn, level 3).

Each field of an answer can be made wrong, one at a time.
"""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, EdDSA

Kind = Literal["ES256", "EdDSA", "RS256"]
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _private(kind: Kind) -> Any:
    if kind == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else ed25519.Ed25519PrivateKey.generate()
    )


class Authenticator:
    """One passkey. origin: of the page. counts: whether it has a counter."""

    def __init__(
        self, origin: str = "http://localhost", kind: Kind = "ES256", *, counts: bool = True
    ) -> None:
        self.origin = origin
        self.kind = kind
        self.counts = counts
        self.count = 0
        self.credential = os.urandom(32)
        self.handle = b""
        self.private: Any = _private(kind)

    def make(self, options: Mapping[str, Any], **wrong: Any) -> dict[str, Any]:
        """A new passkey for creation options. wrong: other values of fields."""
        self.handle = unb64(options["user"]["id"])
        key: Any = {"ES256": ES256, "EdDSA": EdDSA, "RS256": RS256}[self.kind]
        public = cbor.encode(key.from_cryptography_key(self.private.public_key()))
        attested = bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + public
        rp_id = options["rp"]["id"]
        data = self._data(rp_id, USER_PRESENT | USER_VERIFIED | ATTESTED, wrong) + attested
        parts = {
            "clientDataJSON": self._client_data("webauthn.create", options["challenge"], wrong),
            "attestationObject": cbor.encode({"fmt": "none", "attStmt": {}, "authData": data}),
        }
        return self._answer(parts)

    def answer(self, options: Mapping[str, Any], **wrong: Any) -> dict[str, Any]:
        """The answer to request options. wrong: other values of fields."""
        client_data = self._client_data("webauthn.get", options["challenge"], wrong)
        data = self._data(options["rpId"], USER_PRESENT | USER_VERIFIED, wrong)
        signature = self._sign(data + hashlib.sha256(client_data).digest())
        if "signature" in wrong:
            signature = wrong["signature"]
        handle = wrong.get("handle", self.handle)
        parts = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": signature,
            "userHandle": handle,
        }
        return self._answer(parts, wrong.get("credential"))

    def _answer(self, parts: dict[str, bytes], credential: bytes | None = None) -> dict[str, Any]:
        number = b64(self.credential if credential is None else credential)
        response = {name: b64(part) for name, part in parts.items()}
        return {"id": number, "rawId": number, "type": "public-key", "response": response}

    def _data(self, rp_id: str, flags: int, wrong: Mapping[str, Any]) -> bytes:
        self.count += self.counts
        rp_hash = hashlib.sha256(wrong.get("rp_id", rp_id).encode()).digest()
        flags = flags & ~wrong.get("without", 0)
        return rp_hash + struct.pack(">BI", flags, wrong.get("count", self.count))

    def _client_data(self, kind: str, challenge: str, wrong: Mapping[str, Any]) -> bytes:
        fields = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(fields).encode()

    def _sign(self, message: bytes) -> bytes:
        if self.kind == "ES256":
            return bytes(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        if self.kind == "RS256":
            return bytes(self.private.sign(message, padding.PKCS1v15(), hashes.SHA256()))
        return bytes(self.private.sign(message))
