"""The frames of a live registration, with exactly the keys that the protocol has (docs/live.md)."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Annotated, assert_never

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain.account import Profile
from regserver.domain.live_progress import Authentication, LiveMessage, ProgressEvent
from regserver.endpoint import Request
from regserver.text import CATALOGUES
from regserver.web.http.field import TokenField, UserIdField, described
from regserver.web.http.pipeline import Parameters


# --- requests
class WatchWish(Parameters, frozen=True):
    """From where on a registration is watched, and with what."""

    eta: Annotated[bool, Meta(description="Adds etaSeconds to each event.")] = False
    last_event_id: Annotated[
        int,
        described(
            "The id of the last event that came; events behind it follow.",
            3,
            ge=0,
            extra={"header": "Last-Event-ID"},
        ),
    ] = 0


def read_watch_wish(request: Request) -> WatchWish:
    """The parameters of a request. An invalid Last-Event-ID counts as none."""
    eta = urllib.parse.parse_qs(request.query).get("eta", [""])[-1] in {"1", "true"}
    seen = request.headers.get("last-event-id", "")
    return WatchWish(eta, int(seen) if re.fullmatch(r"[0-9]{1,9}", seen) else 0)


# --- frames
class NoData(msgspec.Struct, frozen=True):
    """`{}`"""


class NameData(msgspec.Struct, frozen=True, rename="camel"):
    """The name of the person who is registered."""

    first_name: Annotated[str, Meta(examples=["Ada"])]
    middle_name: Annotated[str | None, Meta(examples=["King"])]
    last_name: Annotated[str, Meta(examples=["Lovelace"])]


class TokenData(msgspec.Struct, frozen=True, rename="camel"):
    """The new account, and a token for it."""

    user_id: UserIdField
    token: TokenField


class TimedFrame(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The time left, which stands last in a frame."""

    eta_seconds: Annotated[
        int | UnsetType | None,
        described("Where it was asked for: seconds still to wait; null where nobody can tell.", 12),
    ] = UNSET


class LiveFrame(TimedFrame, frozen=True, tag_field="eventType"):
    """One text frame of `WS /register/{id}`, and the data of one Server-Sent Event."""

    step: Annotated[int, described("Never goes back.", 1, ge=1)]
    total_steps: Annotated[int, described("-1 until it is known.", 4, ge=-1)]
    message: Annotated[str, described("Fit for the person to read.", "Looking you up")]


class InformationFrame(LiveFrame, frozen=True, tag="INFORMATION"):
    """The registration goes on."""

    additional_data: NoData


class NameFrame(LiveFrame, frozen=True, tag="NAME"):
    """The name of the person is known; comes once, before AUTHENTICATION."""

    additional_data: NameData


class AuthenticationFrame(LiveFrame, frozen=True, tag="AUTHENTICATION"):
    """The account is made: the last frame of a registration that succeeds."""

    additional_data: TokenData


class FailureFrame(LiveFrame, frozen=True, tag="FAILURE"):
    """The last frame of a registration that fails."""

    additional_data: NoData


AnyLiveFrame = InformationFrame | NameFrame | AuthenticationFrame | FailureFrame

TEXTS: Mapping[str, Mapping[LiveMessage, str]] = {
    language: {message: catalogue.live[message] for message in LiveMessage}
    for language, catalogue in CATALOGUES.items()
}
"""language → message of the server → text. A missing one fails here, at start."""

_encode = msgspec.json.Encoder().encode
_NO_DATA = NoData()


def encode_frame(event: ProgressEvent, language: str) -> bytes:
    """The event's frame as JSON. language: of the server's own messages."""
    return _encode(_frame(event, message_text(event.message, language)))


def message_text(message: str | LiveMessage, language: str) -> str:
    """The text for a user: of a message of the server, or the source's own."""
    return TEXTS[language][message] if isinstance(message, LiveMessage) else message


def _frame(event: ProgressEvent, text: str) -> AnyLiveFrame:
    step, total = event.step, event.total_steps
    match event.data:
        case Profile(first_name=first, middle_name=middle, last_name=last):
            return NameFrame(step, total, text, NameData(first, middle, last))
        case Authentication(user_id=user_id, token=token):
            return AuthenticationFrame(step, total, text, TokenData(user_id, token))
        case None if event.event_type == "FAILURE":
            return FailureFrame(step, total, text, _NO_DATA)
        case None:
            return InformationFrame(step, total, text, _NO_DATA)
        case _:
            assert_never(event.data)
