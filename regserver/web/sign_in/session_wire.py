"""Sessions and named tokens on the wire."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadExpiresIn, BadTokenName, Refusal
from regserver.domain.room import parse_id
from regserver.domain.session import MAX_AGENT_LENGTH, MAX_TOKEN_NAME_LENGTH, SessionId
from regserver.endpoint import Request
from regserver.service.session_service import SessionView
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import SessionIdField, TimeField, TokenField, described
from regserver.web.http.pipeline import RequestBody

TokenNameField = Annotated[
    str,
    described("What the token is for.", "backup at home", min_length=1, max_length=MAX_TOKEN_NAME_LENGTH),
]

ExpiresInField = Annotated[
    int, described("A life in seconds; without it, that of the server's settings.", 2_592_000, ge=1)
]


# --- what is asked
class NamedToken(RequestBody, frozen=True, rename="camel"):
    """A token for a program."""

    name: TokenNameField
    expires_in: ExpiresInField | None = None


def read_named_token(request: Request) -> NamedToken | Unreadable | BadTokenName | BadExpiresIn:
    """Refuses fields of a wrong type; the service checks the rest. White space around the name is trimmed."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    name, expires_in = fields.get("name"), fields.get("expiresIn")
    if not isinstance(name, str):
        return BadTokenName()
    if expires_in is not None and type(expires_in) is not int:  # a bool is an int, too
        return BadExpiresIn()
    return NamedToken(name.strip(), expires_in)


def read_session_id(request: Request) -> SessionId:
    """The session in the path; 0, which is none, for what is not an id."""
    return SessionId(parse_id(request.params["session_id"]) or 0)


# --- what is shown
class SessionBody(msgspec.Struct, frozen=True, rename="camel"):
    """A session of the asker's account."""

    session_id: SessionIdField
    name: TokenNameField | None
    agent: Annotated[
        str,
        described(
            "What the program called itself as it signed in; empty if it did not.",
            "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
            max_length=MAX_AGENT_LENGTH,
        ),
    ]
    network: Annotated[
        str,
        described("From where it signed in, as an IPv4 /24 or IPv6 /48; empty if unknown.", "192.0.2.0/24"),
    ]
    created_at: TimeField
    last_used_at: TimeField
    expires_at: TimeField
    current: Annotated[bool, Meta(description="Whether it is the session that asks.")]


def session_body(view: SessionView) -> SessionBody:
    """A session as it is shown to its person."""
    session = view.session
    return SessionBody(
        session.id,
        session.name,
        session.agent,
        session.network,
        iso_seconds(session.created_at),
        iso_seconds(session.last_used_at),
        iso_seconds(session.expires_at),
        view.current,
    )


class SessionsShown(JsonAnswer, frozen=True):
    """The sessions of the asker's account, at most 500, those that were used last first."""

    sessions: tuple[SessionBody, ...]


class NamedTokenMade(JsonAnswer, frozen=True, rename="camel"):
    """A token for a program."""

    http_status: ClassVar[int] = 201

    session_id: SessionIdField
    token: TokenField
