"""Changes of password and address on the wire."""

from typing import Annotated

from msgspec import Meta

from regserver.domain.outcome import BadEmail, BadJson, BadPassword, Refusal
from regserver.endpoint import Request
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import EmailField, PasswordField
from regserver.web.http.pipeline import RequestBody

OldPasswordField = Annotated[
    PasswordField | None, Meta(description="The account's password; absent or null where it has none.")
]


class PasswordChanged(RequestBody, frozen=True, rename="camel"):
    """The old password, and the new one."""

    new_password: PasswordField
    password: OldPasswordField = None


class AddressChanged(RequestBody, frozen=True):
    """The password, and the new address."""

    email: EmailField
    password: OldPasswordField = None


class AddressRestored(JsonAnswer, frozen=True):
    """The address is the account's again. A mail to it says what to do next."""

    email: EmailField


def read_password_change(request: Request) -> PasswordChanged | Unreadable | BadPassword:
    """Refuses fields that are no strings; the service checks the rest."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    password, new = fields.get("password"), fields.get("newPassword")
    if not isinstance(password, str | None):
        return BadJson()
    return PasswordChanged(new, password) if isinstance(new, str) else BadPassword()


def read_address_change(request: Request) -> AddressChanged | Unreadable | BadEmail:
    """Refuses fields that are no strings; the service checks the rest."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    password, email = fields.get("password"), fields.get("email")
    if not isinstance(password, str | None):
        return BadJson()
    return AddressChanged(email, password) if isinstance(email, str) else BadEmail()
