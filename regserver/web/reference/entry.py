"""What the reference shows: the entries of its groups, as its templates read them."""

from typing import Any

import msgspec

from regserver.web.reference.example import Sample


class Field(msgspec.Struct, frozen=True):
    """A field of a body, or a parameter. place: "path", "query", "header"; "" in a body. kind: its type in words."""

    name: str
    kind: str
    meaning: str
    is_required: bool
    place: str = ""


class ShownMessage(msgspec.Struct, frozen=True):
    """An answer or a frame. status: of HTTP, "" in a frame. example: of its body, as JSON; "" for none."""

    name: str
    meaning: str
    status: str = ""
    fields: tuple[Field, ...] = ()
    example: str = ""


class OperationEntry(msgspec.Struct, frozen=True):
    """One route. errors: status → names. limit: in words; "" for none."""

    anchor: str
    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    sample: Sample
    answers: tuple[ShownMessage, ...]
    errors: dict[str, list[str]]
    limit: str


class MethodEntry(msgspec.Struct, frozen=True):
    """One method of the registration steps. errors: code → messages."""

    name: str
    summary: str
    parameters: tuple[Field, ...]
    result: tuple[Field, ...]
    sample: Sample
    errors: dict[str, list[str]]


class ChannelEntry(msgspec.Struct, frozen=True):
    """One WebSocket. words: what it may say as a bare word before it closes. stream: the anchor of the same by SSE; "" for none."""

    name: str
    path: str
    parameters: tuple[Field, ...]
    script: str
    frames: tuple[ShownMessage, ...]
    words: tuple[ShownMessage, ...]
    stream: str
    limit: str


class ErrorEntry(msgspec.Struct, frozen=True):
    """A refusal. statuses: of HTTP, or "WebSocket". example: its body, as JSON."""

    name: str
    statuses: tuple[str, ...]
    meaning: str
    example: str


class Group(msgspec.Struct, frozen=True):
    """Operations of one tag."""

    name: str
    meaning: str
    operations: tuple[OperationEntry, ...]


class Reference(msgspec.Struct, frozen=True):
    """All of it. closings: close code → meaning, and whether to come again."""

    version: str
    groups: tuple[Group, ...]
    channels: tuple[ChannelEntry, ...]
    closings: dict[str, Any]
    methods: tuple[MethodEntry, ...]
    errors: tuple[ErrorEntry, ...]
