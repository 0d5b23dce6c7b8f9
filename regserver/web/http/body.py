"""Reading request bodies: JSON objects, and forms that browsers send."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

import msgspec

from regserver.domain.outcome import BadContentType, BadJson, Refusal
from regserver.endpoint import Request

FORM = "application/x-www-form-urlencoded"
"""What browsers send a form as."""
MAX_FIELDS = 10
Unreadable = BadJson | BadContentType

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def read_object(request: Request, *, optional: bool = False) -> dict[str, Any] | Unreadable:
    """The body as a JSON object. optional: an empty body is an empty object, whatever its declared type.

    Other declared types are refused, since browsers send forms and plain text to other sites without a preflight.
    """
    if not request.body:  # axios declares a form where it sends nothing
        return {} if optional else BadJson()
    if not is_json(request):
        return BadContentType()
    return parse_object(request.body)


def parse_object(body: bytes) -> dict[str, Any] | BadJson:
    """The body as a JSON object, without a look at its declared type."""
    try:
        return _decode_object(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadJson()


def read_text(request: Request, name: str) -> str | Unreadable:
    """A member of the JSON object in the body that must be a text."""
    body = read_object(request)
    if isinstance(body, Refusal):
        return body
    value = body.get(name)
    return value if isinstance(value, str) else BadJson()


def read_form(request: Request) -> dict[str, str] | BadContentType:
    """The fields of a posted form; of one that is given twice, the last. A form of more than MAX_FIELDS has none."""
    if content_type(request) != FORM:
        return BadContentType()
    try:
        text = request.body.decode("ascii", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:  # too many fields
        return {}


def read_invitation(fields: Mapping[str, Any]) -> str:
    """The member `invitation`; "" for none, and for what is no string and so no invitation that is good."""
    value = fields.get("invitation")
    return value if isinstance(value, str) else ""


def content_type(request: Request) -> str:
    """The declared media type, without parameters, in lower case; "" when there is none."""
    declared = request.headers.get("content-type", "")
    if declared == "application/json":  # as nearly all clients say it
        return declared
    return declared.partition(";")[0].strip().lower()


def is_json(request: Request) -> bool:
    """Whether the body is declared to be JSON, or not declared at all."""
    declared = content_type(request)
    return declared in {"", "application/json"} or (
        declared.startswith("application/") and declared.endswith("+json")
    )
