"""WebAuthn's options and answers (W3C, level 3), without any memory."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from regserver.domain.passkey import PasskeySite

WebAuthnJson = Mapping[str, Any]
"""Options or an answer in the JSON that browsers make and read."""


class PasskeyFault(Exception):
    """An answer that proves nothing; the message says what is wrong with it, for the client's developer."""


class Candidate(msgspec.Struct, frozen=True):
    """A new passkey. public_key: in COSE's form. sign_count: the authenticator's counter, 0 for none."""

    credential: bytes
    public_key: bytes
    sign_count: int


class Claimed(msgspec.Struct, frozen=True):
    """What an answer says of itself, before it is verified. user_handle: empty where the authenticator sends none.

    parsed: the answer as its verifier has read it.
    """

    challenge: bytes
    credential: bytes
    user_handle: bytes
    parsed: object


class PasskeyVerifier(Protocol):
    """Passkeys are discoverable, and their authenticators verify the user: so a passkey is both factors."""

    def creation_options(
        self, site: PasskeySite, handle: bytes, username: str, challenge: bytes, known: Sequence[bytes]
    ) -> WebAuthnJson:
        """What a browser makes a passkey with. known: credentials of authenticators that need no second one."""

    def request_options(self, site: PasskeySite, challenge: bytes) -> WebAuthnJson:
        """What a browser asks for any passkey of this site with."""

    def challenge_of(self, answer: WebAuthnJson) -> bytes:
        """The challenge that a new passkey says it answers. Raises PasskeyFault."""

    def verify_new(self, site: PasskeySite, answer: WebAuthnJson, challenge: bytes) -> Candidate:
        """Checks a new passkey. Raises PasskeyFault."""

    def claimed(self, answer: WebAuthnJson) -> Claimed:
        """What the answer of a sign-in says of itself. Raises PasskeyFault."""

    def verify(self, site: PasskeySite, claimed: Claimed, public_key: bytes) -> int:
        """Checks the answer of a sign-in; the authenticator's counter. Raises PasskeyFault."""
