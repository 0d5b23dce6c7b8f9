"""Passkeys on the wire: the JSON of WebAuthn (W3C, level 3, 5.1 and 5.10)."""

from typing import Annotated, Any, Self, TypeVar

import msgspec
from msgspec import Meta

from regserver.domain.outcome import BadJson, Refusal
from regserver.domain.passkey import DEFAULT_PASSKEY_NAME
from regserver.domain.session import MAX_TOKEN_NAME_LENGTH, is_token_name
from regserver.endpoint import Request
from regserver.ports.passkey_table import Passkey
from regserver.ports.passkey_verifier import WebAuthnJson
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import PasskeyIdField, PasswordField, described
from regserver.web.http.pipeline import RequestBody

Base64Url = Annotated[str, described("In base64url, without padding.", "AAECAw")]
Json = TypeVar("Json", bound=RequestBody)


# --- what is asked
class AttestationParts(msgspec.Struct, frozen=True):
    """What the authenticator has made."""

    clientDataJSON: Base64Url
    attestationObject: Base64Url


class AssertionParts(msgspec.Struct, frozen=True):
    """What the authenticator has signed."""

    clientDataJSON: Base64Url
    authenticatorData: Base64Url
    signature: Base64Url
    userHandle: Base64Url | None = None


class PasskeyWish(RequestBody, frozen=True):
    """The body may be absent. password: for a session whose sign-in was some time ago."""

    password: PasswordField | None = None


class PasskeyMade(RequestBody, frozen=True, rename="camel"):
    """A new passkey, as `PublicKeyCredential.toJSON()` gives it, and its name. Other members are ignored."""

    id: Base64Url
    raw_id: Base64Url
    response: AttestationParts
    name: Annotated[
        str, described("As its owner calls it.", "Telephone", max_length=MAX_TOKEN_NAME_LENGTH)
    ] = DEFAULT_PASSKEY_NAME


class PasskeyAnswer(RequestBody, frozen=True, rename="camel"):
    """The answer to a challenge, as `PublicKeyCredential.toJSON()` gives it. Other members are ignored."""

    id: Base64Url
    raw_id: Base64Url
    response: AssertionParts


def read_wish(request: Request) -> PasskeyWish | Unreadable:
    """The body of /login/passkey/options."""
    fields = read_object(request, optional=True)
    if isinstance(fields, Refusal):
        return fields
    password = fields.get("password")
    return PasskeyWish(password) if password is None or isinstance(password, str) else BadJson()


def read_made(request: Request) -> PasskeyMade | Unreadable:
    """The body of /login/passkey."""
    made = _read(request, PasskeyMade)
    if isinstance(made, Refusal):
        return made
    made = msgspec.structs.replace(made, name=made.name.strip())
    return made if is_token_name(made.name) else BadJson()


def read_answer(request: Request) -> PasskeyAnswer | Unreadable:
    """The body of /login/passkey/verify."""
    return _read(request, PasskeyAnswer)


def _read(request: Request, kind: type[Json]) -> Json | Unreadable:
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        return BadJson()


def answer_json(body: PasskeyMade | PasskeyAnswer) -> WebAuthnJson:
    """The answer as the verifier reads it."""
    parts = {
        name: value for name, value in msgspec.structs.asdict(body.response).items() if value is not None
    }
    return {"id": body.id, "rawId": body.raw_id, "type": "public-key", "response": parts}


# --- what is shown
class CreationOptions(JsonAnswer, frozen=True, rename="camel"):
    """For `PublicKeyCredential.parseCreationOptionsFromJSON()`."""

    challenge: Base64Url
    rp: Annotated[dict[str, Any], Meta(examples=[{"id": "example.org", "name": "example.org"}])]
    user: Annotated[dict[str, Any], Meta(examples=[{"id": "AAECAw", "name": "ada", "displayName": "ada"}])]
    pub_key_cred_params: Annotated[list[dict[str, Any]], Meta(examples=[[{"type": "public-key", "alg": -7}]])]
    authenticator_selection: Annotated[
        dict[str, Any], Meta(examples=[{"residentKey": "required", "userVerification": "required"}])
    ]
    timeout: Annotated[int, described("Milliseconds.", 300_000)]
    exclude_credentials: Annotated[
        tuple[dict[str, Any], ...], Meta(examples=[[{"type": "public-key", "id": "AAECAw"}]])
    ] = ()


class RequestOptions(JsonAnswer, frozen=True, rename="camel"):
    """For `PublicKeyCredential.parseRequestOptionsFromJSON()`. Whoever has a passkey may answer."""

    challenge: Base64Url
    rp_id: Annotated[str, described("The host whose passkeys may answer.", "example.org")]
    user_verification: Annotated[str, described("The authenticator verifies the user.", "required")]
    timeout: Annotated[int, described("Milliseconds.", 300_000)]


class PasskeyAdded(JsonAnswer, frozen=True, rename="camel"):
    """The account has one more passkey."""

    http_status = 201

    passkey_id: PasskeyIdField

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        """As the store has it."""
        return cls(passkey.id)
