"""The frames of a live registration, with exactly the keys that the protocol has (docs/live.md)."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from regserver.domain.account import Profile
from regserver.domain.live_progress import Authentication, EventType, LiveMessage, ProgressEvent
from regserver.text import CATALOGUES


class NoData(msgspec.Struct, frozen=True):
    """`{}`"""


class NameData(msgspec.Struct, frozen=True, rename="camel"):
    first_name: str
    middle_name: str | None
    last_name: str


class TokenData(msgspec.Struct, frozen=True, rename="camel"):
    user_id: int
    token: str


class LiveFrame(msgspec.Struct, frozen=True, rename="camel"):
    """One text frame of `WS /register/{id}`, and the data of one Server-Sent Event."""

    event_type: EventType
    step: int
    total_steps: int
    message: str
    additional_data: NoData | NameData | TokenData


TEXTS: Mapping[str, Mapping[LiveMessage, str]] = {
    language: {message: catalogue.live[message] for message in LiveMessage}
    for language, catalogue in CATALOGUES.items()
}
"""language → message of ours → text; a start without one of them fails here."""

_encode = msgspec.json.Encoder().encode
_NO_DATA = NoData()


def encode_frame(event: ProgressEvent, language: str) -> bytes:
    """The event's frame as JSON, with our own messages in the given language."""
    text, data = message_text(event.message, language), _data(event.data)
    return _encode(LiveFrame(event.event_type, event.step, event.total_steps, text, data))


def message_text(message: str | LiveMessage, language: str) -> str:
    """What a user reads: the text of a message of ours, and the source's words as they are."""
    return TEXTS[language][message] if isinstance(message, LiveMessage) else message


def _data(data: Profile | Authentication | None) -> NoData | NameData | TokenData:
    match data:
        case None:
            return _NO_DATA
        case Profile():
            return NameData(data.first_name, data.middle_name, data.last_name)
        case Authentication():
            return TokenData(data.user_id, data.token)
        case _:
            assert_never(data)
