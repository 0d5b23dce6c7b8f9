"""The frames of a live registration, with exactly the keys that the protocol has (docs/live.md)."""

from typing import assert_never

import msgspec

from regserver.domain.account import Profile
from regserver.domain.live_progress import Authentication, EventType, ProgressEvent
from regserver.service.live_text import words


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


_encode = msgspec.json.Encoder().encode
_NO_DATA = NoData()


def encode_frame(event: ProgressEvent) -> bytes:
    """The event's frame as JSON."""
    data = _data(event.data)
    return _encode(LiveFrame(event.event_type, event.step, event.total_steps, words(event.message), data))


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
