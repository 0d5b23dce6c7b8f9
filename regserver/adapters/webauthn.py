"""Passkeys by fido2, Yubico's library.

Answers come from strangers. fido2 reads them without bounds, and CBOR in quadratic time; so their parts are measured first.
"""

import logging
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from regserver.domain.passkey import CHALLENGE_LIFE, PasskeySite
from regserver.ports.passkey_verifier import Candidate, Claimed, PasskeyFault, PasskeyVerifier, WebAuthnJson

ALGORITHMS: Final = (-8, -7, -257)
"""EdDSA, ES256, RS256 (IANA's COSE numbers): what all authenticators have, the last one for Windows Hello."""
MAX_PARTS: Final = {
    "clientDataJSON": 4096,
    "attestationObject": 4096,
    "authenticatorData": 1024,
    "signature": 1024,
    "userHandle": 88,
}
"""The most characters of each part, in base64url. Without an attestation, which is not asked for, real ones are far shorter."""
MAX_CREDENTIAL_CHARACTERS: Final = 1364
"""1023 bytes (WebAuthn, 5.8.3)."""
MOST_SITES: Final = 8
"""Kept at once. There is one, but for names below localhost."""
MAX_KEY_BYTES: Final = 600
"""An RSA key of 4096 bits: longer ones only take time."""

logging.getLogger("fido2").setLevel(logging.WARNING)  # it logs credentials

_UNREADABLE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError, struct.error,
    UnsupportedAlgorithm, NotImplementedError,
)  # fmt: skip


NOBODY = PublicKeyCredentialUserEntity(id=b"-", name="-")
"""Of a state that is compared with an answer: what was asked of the browser before does not matter any more."""


class Fido2Verifier(PasskeyVerifier):
    """name: of the service, as authenticators show it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def creation_options(
        self, site: PasskeySite, handle: bytes, username: str, challenge: bytes, known: Sequence[bytes]
    ) -> WebAuthnJson:
        """See PasskeyVerifier."""
        kind = PublicKeyCredentialType.PUBLIC_KEY
        options, _ = _server(site, self._name).register_begin(
            PublicKeyCredentialUserEntity(id=handle, name=username, display_name=username),
            [PublicKeyCredentialDescriptor(type=kind, id=credential) for credential in known],
            ResidentKeyRequirement.REQUIRED,
            UserVerificationRequirement.REQUIRED,
            challenge=challenge,
        )
        return {**dict(options.public_key), "timeout": int(CHALLENGE_LIFE)}

    def request_options(self, site: PasskeySite, challenge: bytes) -> WebAuthnJson:
        """See PasskeyVerifier."""
        verification = UserVerificationRequirement.REQUIRED
        options, _ = _server(site, self._name).authenticate_begin(
            user_verification=verification, challenge=challenge
        )
        return {**dict(options.public_key), "timeout": int(CHALLENGE_LIFE)}

    def challenge_of(self, answer: WebAuthnJson) -> bytes:
        """See PasskeyVerifier."""
        with _readable(answer):
            return _challenge(RegistrationResponse.from_dict(answer).response.client_data)

    def verify_new(self, site: PasskeySite, answer: WebAuthnJson, challenge: bytes) -> Candidate:
        """See PasskeyVerifier."""
        with _readable(answer):
            response = RegistrationResponse.from_dict(answer)
            _same_page(response.response.client_data.cross_origin)
            server = _server(site, self._name)
            _, state = server.register_begin(
                NOBODY, user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
            )
            made = server.register_complete(state, response)
            data = made.credential_data
            if data is None or data.credential_id != response.raw_id:
                raise ValueError("the credential's id is not that of its data")
            key = cbor.encode(data.public_key)
            if data.public_key.get(3) not in ALGORITHMS or len(key) > MAX_KEY_BYTES:
                raise ValueError("a key of a kind that was not asked for")
            return Candidate(data.credential_id, key, made.counter)

    def claimed(self, answer: WebAuthnJson) -> Claimed:
        """See PasskeyVerifier."""
        with _readable(answer):
            response = AuthenticationResponse.from_dict(answer)
            inner = response.response
            _same_page(inner.client_data.cross_origin)
            challenge, handle = _challenge(inner.client_data), bytes(inner.user_handle or b"")
            return Claimed(challenge, bytes(response.raw_id), handle, response)

    def verify(self, site: PasskeySite, claimed: Claimed, public_key: bytes) -> int:
        """See PasskeyVerifier."""
        with _faults():
            response = claimed.parsed
            if not isinstance(response, AuthenticationResponse):
                raise TypeError("read by another verifier")
            stored = cbor.decode(public_key)
            if not isinstance(stored, Mapping):
                raise ValueError("the stored key is damaged")
            credential = AttestedCredentialData.create(Aaguid.NONE, claimed.credential, CoseKey.parse(stored))
            server = _server(site, self._name)
            _, state = server.authenticate_begin(
                user_verification=UserVerificationRequirement.REQUIRED, challenge=claimed.challenge
            )
            server.authenticate_complete(state, [credential], response)
            return response.response.authenticator_data.counter


@lru_cache(MOST_SITES)
def _server(site: PasskeySite, name: str) -> Fido2Server:
    """Kept, since making one takes longer than checking an answer. name: of the service."""
    entity = PublicKeyCredentialRpEntity(id=site.rp_id, name=name)
    server = Fido2Server(entity, verify_origin=lambda origin: origin == site.origin)
    kind = PublicKeyCredentialType.PUBLIC_KEY
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=kind, alg=number) for number in ALGORITHMS
    ]
    return server


def _challenge(data: CollectedClientData) -> bytes:
    """In the one spelling that browsers give back: base64url has others for the same bytes."""
    challenge = bytes(data.challenge)
    if msgspec.json.decode(data)["challenge"] != websafe_encode(challenge):
        raise ValueError("the challenge is spelt as no browser does")
    return challenge


def _same_page(is_cross_origin: object) -> None:
    if is_cross_origin:
        raise ValueError("made by a page inside a page of another site")


@contextmanager
def _readable(answer: WebAuthnJson) -> Iterator[None]:
    """Refuses parts that are too long; whatever cannot be read becomes PasskeyFault."""
    parts = answer.get("response")
    credential = answer.get("rawId")
    if not isinstance(parts, Mapping) or not isinstance(credential, str):
        raise PasskeyFault("no credential")
    if len(credential) > MAX_CREDENTIAL_CHARACTERS:
        raise PasskeyFault("the credential's id is too long")
    for name, most in MAX_PARTS.items():
        part = parts.get(name, "")
        if part is not None and (not isinstance(part, str) or len(part) > most):
            raise PasskeyFault(f"{name} is no text, or too long")
    with _faults():
        yield


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise PasskeyFault(str(error) or type(error).__name__) from None
