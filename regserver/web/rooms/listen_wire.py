"""What sockets and streams of the rooms are asked with."""

import urllib.parse
from typing import Annotated

from regserver.endpoint import Request
from regserver.web.http.event_stream import EventStream
from regserver.web.http.field import described
from regserver.web.http.pipeline import Parameters


class ListenWish(Parameters, frozen=True):
    """What /room/websocket is asked with. Without `since` nothing of the past is sent."""

    token: Annotated[
        str | None,
        described(
            "A bearer token, where no Authorization field can be sent; the operator may forbid it.",
            "regs_0123abcd",
        ),
    ] = None
    ticket: Annotated[str | None, described("A ticket of POST /login/ticket.", "regs_0123abcd")] = None
    since: Annotated[
        str | None,
        described(
            "A cursor, or empty for now: Resumed comes first, then what was missed, then live frames,"
            " each with a cursor.",
            "AAAAAAAAAAA",
        ),
    ] = None
    echo: Annotated[
        bool, described("Whether to hear also what the account itself does, as from another device.", True)
    ] = False
    edits: Annotated[
        bool,
        described(
            "Whether to hear that posts are edited and deleted, and rooms renamed: PostEdited, PostDeleted, RoomRenamed.",
            True,
        ),
    ] = False
    presence: Annotated[
        bool,
        described(
            "Whether the members of one's rooms see one as present, and one hears who of them is present and who is typing.",
            True,
        ),
    ] = False
    seen: Annotated[
        bool, described("Whether to hear how far the account has read, on whichever device: Seen.", True)
    ] = False


class StreamWish(Parameters, frozen=True):
    """From where on the rooms are listened to, and with what."""

    last_event_id: Annotated[
        str | None,
        described(
            "The id of the last event that came; what was missed follows.",
            "AAAAAAAAAAA",
            extra={"header": "Last-Event-ID"},
        ),
    ] = None
    echo: Annotated[bool, described("As on the WebSocket.", True)] = False
    edits: Annotated[bool, described("As on the WebSocket.", True)] = False
    presence: Annotated[bool, described("As on the WebSocket.", True)] = False
    seen: Annotated[bool, described("As on the WebSocket.", True)] = False


class RoomEventStream(EventStream, frozen=True, kw_only=True):
    """Notifications as they come; the data of each is a frame of the WebSocket without a cursor, its id the cursor."""


SWITCHED_ON = {"", "true"}
"""What a switch of a query may say: also nothing."""


def read_listen_wish(request: Request) -> ListenWish:
    """The query of /room/websocket."""
    query = query_of(request)
    return ListenWish(
        token=query.get("token"),
        ticket=query.get("ticket"),
        since=query.get("since"),
        echo=query.get("echo") in SWITCHED_ON,
        edits=query.get("edits") in SWITCHED_ON,
        presence=query.get("presence") in SWITCHED_ON,
        seen=query.get("seen") in SWITCHED_ON,
    )


def read_stream_wish(request: Request) -> StreamWish:
    """The parameters of /room/events."""
    last = request.headers.get("last-event-id") or None
    query = query_of(request)
    return StreamWish(
        last_event_id=last,
        echo=query.get("echo") in SWITCHED_ON,
        edits=query.get("edits") in SWITCHED_ON,
        presence=query.get("presence") in SWITCHED_ON,
        seen=query.get("seen") in SWITCHED_ON,
    )


def query_of(request: Request) -> dict[str, str]:
    """The query's parameters; of a repeated one the last counts."""
    return dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
