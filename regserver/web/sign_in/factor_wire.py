"""Second factors on the wire."""

from typing import Annotated, TypeGuard

import msgspec
from msgspec import Meta

from regserver.domain.factor import RECOVERY_CODES
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadJson, Refusal
from regserver.endpoint import Request
from regserver.ports.passkey_table import Passkey, PasskeyId
from regserver.ports.totp_method import Enrolment
from regserver.service.factor_service import Factors
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import PasskeyIdField, PasswordField, TimeField, described
from regserver.web.http.pipeline import RequestBody

MAX_CODE_LENGTH = 100

CodeField = Annotated[
    str,
    described(
        "Of the authenticator app, or a recovery code.", "314159", min_length=1, max_length=MAX_CODE_LENGTH
    ),
]


# --- what is asked
class FirstCode(RequestBody, frozen=True):
    """A first code of the app."""

    code: CodeField


class Removal(RequestBody, frozen=True):
    """The account's password; of an account without one, a code."""

    password: PasswordField


class SecondStep(RequestBody, frozen=True):
    """The ticket that the password was answered with, and a code."""

    ticket: Annotated[str, described("From the answer to the password.", "regf_0123abcd", min_length=1)]
    code: CodeField


def read_first_code(request: Request) -> FirstCode | Unreadable:
    """The body of /login/totp/confirm."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    code = fields.get("code")
    return FirstCode(code) if _is_code(code) else BadJson()


def read_removal(request: Request) -> Removal | Unreadable:
    """The body of DELETE /login/totp."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    password = fields.get("password")
    return Removal(password) if isinstance(password, str) and password else BadJson()


def read_second_step(request: Request) -> SecondStep | Unreadable:
    """The body of /login/factor."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    ticket, code = fields.get("ticket"), fields.get("code")
    if not isinstance(ticket, str) or not ticket or not _is_code(code):
        return BadJson()
    return SecondStep(ticket.strip(), code)


def _is_code(code: object) -> TypeGuard[str]:
    return isinstance(code, str) and 0 < len(code) <= MAX_CODE_LENGTH


# --- what is shown
class PasskeyBody(msgspec.Struct, frozen=True, rename="camel"):
    """One passkey. lastUsedAt: null before the first sign-in with it."""

    passkey_id: PasskeyIdField
    name: Annotated[str, described("As its owner calls it.", "Telephone")]
    created_at: TimeField
    last_used_at: TimeField | None

    @classmethod
    def of(cls, passkey: Passkey) -> "PasskeyBody":
        """As the store has it."""
        used = passkey.last_used_at
        created = iso_seconds(passkey.created_at)
        return cls(PasskeyId(passkey.id), passkey.name, created, None if used is None else iso_seconds(used))


class FactorList(JsonAnswer, frozen=True, rename="camel"):
    """The asker's second factor and passkeys."""

    totp: Annotated[bool, Meta(description="Whether a password needs a code of an app beside it.")]
    recovery_codes: Annotated[int, described("How many are left.", 10, ge=0, le=RECOVERY_CODES)]
    passkeys: tuple[PasskeyBody, ...]

    @classmethod
    def of(cls, found: Factors) -> "FactorList":
        """As the service has them."""
        return cls(found.totp, found.recovery_codes, tuple(map(PasskeyBody.of, found.passkeys)))


class TotpBegun(JsonAnswer, frozen=True):
    """What the authenticator app takes in, shown this once; it is on after a first right code."""

    secret: Annotated[str, described("To be typed, in base32.", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    uri: Annotated[str, described("To be opened by the app.", "otpauth://totp/regserver:ada?secret=GEZDGNBV")]
    qr: Annotated[
        str, described("The uri as an SVG image.", '<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    ]

    @classmethod
    def of(cls, enrolment: Enrolment) -> "TotpBegun":
        """As the method made it."""
        return cls(enrolment.secret, enrolment.uri, enrolment.qr)


class TotpOn(JsonAnswer, frozen=True, rename="camel"):
    """The app is on. The recovery codes are shown this once; each replaces a code of the app, once."""

    recovery_codes: Annotated[
        tuple[str, ...], described("Ten codes to be kept elsewhere.", ["mfrg-gzdf-mztw-q2lk"])
    ]
