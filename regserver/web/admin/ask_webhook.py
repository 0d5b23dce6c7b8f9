"""What operators ask of webhooks."""

from typing import Annotated

from regserver.domain.instant import DAY, SECOND, Duration
from regserver.domain.outcome import BadJson, Refusal
from regserver.domain.room import parse_id
from regserver.domain.webhook import MAX_NOTE_LENGTH, MAX_URL_LENGTH, HookPosition, WebhookId
from regserver.endpoint import Request
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import described
from regserver.web.http.pipeline import RequestBody

MOST_SECONDS = 7 * DAY // SECOND

HookUrlField = Annotated[
    str, described("Where to.", "https://example.org/hook", min_length=1, max_length=MAX_URL_LENGTH)
]


class NewWebhookBody(RequestBody, frozen=True):
    """A webhook to be added. events: all without it."""

    url: HookUrlField
    events: Annotated[tuple[str, ...], described("Names of events.", ["user.created"], max_length=50)] = ()
    note: Annotated[str, described("For the list.", "billing", max_length=MAX_NOTE_LENGTH)] = ""


class ReplayBody(RequestBody, frozen=True):
    """From where on events are delivered again: a position, or what happened in the last seconds."""

    position: Annotated[int, described("Of an event.", 1000, ge=0)] | None = None
    seconds: Annotated[int, described("At most 7 days.", 3600, ge=1, le=MOST_SECONDS)] | None = None

    @property
    def start(self) -> HookPosition | None:
        """The position, if there is one."""
        return None if self.position is None else HookPosition(self.position)

    @property
    def life(self) -> Duration:
        """How far back."""
        return Duration((self.seconds or 0) * SECOND)


def read_new_webhook(request: Request) -> NewWebhookBody | Unreadable:
    """Refuses fields of a wrong type; the service checks the rest."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    url, events, note = fields.get("url"), fields.get("events", []), fields.get("note", "")
    if not isinstance(url, str) or not isinstance(note, str) or not isinstance(events, list):
        return BadJson()
    if len(events) > 50 or not all(isinstance(each, str) for each in events):
        return BadJson()
    return NewWebhookBody(url, tuple(events), note)


def read_replay(request: Request) -> ReplayBody | Unreadable:
    """Refuses what names no beginning, or two."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    position, seconds = fields.get("position"), fields.get("seconds")
    if (position is None) is (seconds is None):
        return BadJson()
    if position is not None and not (type(position) is int and 0 <= position < 2**53):
        return BadJson()
    if seconds is not None and not (type(seconds) is int and 0 < seconds <= MOST_SECONDS):
        return BadJson()
    return ReplayBody(position, seconds)


def read_webhook_id(request: Request) -> WebhookId:
    """The webhook in the path; 0, which none has, for what is no number."""
    return WebhookId(parse_id(request.params["webhook"]) or 0)
