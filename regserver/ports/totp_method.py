"""One-time codes of authenticator apps."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant


class Enrolment(msgspec.Struct, frozen=True):
    """What a person's authenticator app takes in. secret: to be typed, base32. uri: otpauth. qr: the uri as an SVG image."""

    secret: str
    uri: str
    qr: str

    def __repr__(self) -> str:
        return "Enrolment(…)"


class TotpMethod(Protocol):
    """Time-based one-time passwords (RFC 6238) as all apps know them: SHA-1, 6 digits, steps of 30 seconds."""

    def secret(self, randomness: bytes) -> str:
        """The shared secret of random bytes, in base32."""

    def enrolment(self, secret: str, username: str) -> Enrolment:
        """How the secret gets into the app of the person with this name."""

    def step(self, secret: str, code: str, now: Instant) -> int | None:
        """The time step of a code, which may be the present one, or one before or after it; None when the code is wrong.

        Compares in constant time, whatever the code.
        """
