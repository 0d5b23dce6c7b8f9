"""One request, and how its answer is read. Nothing here does I/O, so the asynchronous and the blocking client share it."""

import secrets
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from regserver.client.directory_refusal import directory_refused
from regserver.client.fault import BadAnswer, ClientFault, Unreachable
from regserver.client.refusal import refused

T = TypeVar("T")

JSON = "application/json"


class Ask(msgspec.Struct, frozen=True):
    """A request. query: without those that are None. repeatable: whether it may be sent again when no answer came."""

    method: str
    path: str
    body: object = None
    query: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    repeatable: bool = False

    def build(self, http: httpx.Client | httpx.AsyncClient, token: str | None) -> httpx.Request:
        """The request for httpx. token: of whoever asks, or None."""
        fields = dict(self.headers)
        if token is not None:
            fields["authorization"] = f"Bearer {token}"
        if self.body is not None:
            fields["content-type"] = JSON
        content = None if self.body is None else msgspec.json.encode(self.body)
        query = {name: value for name, value in self.query.items() if value is not None}
        return http.build_request(self.method, self.path, content=content, params=query, headers=fields)


def get(path: str, **query: object) -> Ask:
    """A request that changes nothing."""
    return Ask("GET", path, query=query, repeatable=True)


def once(path: str, body: object = None) -> Ask:
    """A POST that the server does once, however often it is sent: it has a key of its own."""
    return Ask("POST", path, body, headers={"idempotency-key": secrets.token_urlsafe(16)}, repeatable=True)


def post(path: str, body: object = None) -> Ask:
    """A POST that is sent once: what became of it is not known when no answer comes."""
    return Ask("POST", path, body)


def delete(path: str, body: object = None, **query: object) -> Ask:
    """A DELETE, of what is gone afterwards in any case."""
    return Ask("DELETE", path, body, query=query)


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def present(**fields: object) -> dict[str, object]:
    """A body without the fields that are None."""
    return {name: value for name, value in fields.items() if value is not None}


# --- answers
def retry_after(response: httpx.Response) -> int | None:
    """The seconds of Retry-After; None without it."""
    text = response.headers.get("retry-after", "")
    return int(text) if text.isdecimal() else None


def read(response: httpx.Response, kind: type[T]) -> T:
    """The body as this type. Raises BadAnswer."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"{response.request.url.path}: {response.status_code}: {error}") from None


def check(response: httpx.Response, allowed: tuple[int, ...] = (200, 201, 202, 204)) -> httpx.Response:
    """The response, if its status is one of these. Raises Refused, DirectoryRefused or BadAnswer."""
    if response.status_code in allowed:
        return response
    raise refusal(response.status_code, response.content, retry_after(response))


def refusal(status: int, body: bytes, after: int | None = None) -> ClientFault:
    """The exception of an answer that says no. after: its Retry-After."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        kind = Unreachable if status >= 500 else BadAnswer  # a proxy whose server is away
        return kind(f"{status}: {error}")
    if "id" in fields and "message" in fields:
        return directory_refused(status, after, fields)
    if isinstance(name := fields.get("error"), str):
        return refused(name, status, after, fields)
    return BadAnswer(f"{status} without a reason")
