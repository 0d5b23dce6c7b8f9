"""Web Push on the wire: what is asked, what is shown, and what is pushed."""

import base64
import binascii
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadSubscription, Refusal, SubscriptionNotFound
from regserver.domain.push import AUTH_BYTES, MAX_ENDPOINT_LENGTH, POINT_BYTES, PushTarget, SubscriptionId
from regserver.domain.room import parse_id
from regserver.endpoint import Request
from regserver.service.push_delivery import PushContent
from regserver.service.push_service import PushChoices
from regserver.text import CATALOGUES, LANGUAGES
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import (
    PostIdField,
    RoomIdField,
    RoomNameField,
    SubscriptionIdField,
    TimeField,
    UserIdField,
    UsernameField,
    described,
)
from regserver.web.http.language import match_language
from regserver.web.http.pipeline import RequestBody

MOST_BYTES = 3800
"""Of what is pushed, before it is encrypted: a push service takes 4096 after it."""
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


# --- what is asked
class PushKeys(msgspec.Struct, frozen=True):
    """The receiver's keys, in Base64 for URLs."""

    p256dh: Annotated[str, described("A public key, an uncompressed point of P-256.", POINT)]
    auth: Annotated[str, described("16 bytes that are shared with the receiver.", "BTBZMqHH6r4Tts7J_aSIgg")]


class NewSubscription(RequestBody, frozen=True, rename="camel"):
    """A subscription, as a browser's `PushSubscription.toJSON()` or a UnifiedPush connector gives it."""

    endpoint: Annotated[
        str,
        described(
            "Where messages are sent.",
            "https://push.example.net/send/0123abcd",
            max_length=MAX_ENDPOINT_LENGTH,
        ),
    ]
    keys: PushKeys
    shows_content: Annotated[bool, described("Whether messages have the posts in them.", False)] = False

    @property
    def target(self) -> PushTarget | None:
        """What messages are encrypted for and sent to; None where the keys are none."""
        p256dh, auth = _decode(self.keys.p256dh, POINT_BYTES), _decode(self.keys.auth, AUTH_BYTES)
        return None if p256dh is None or auth is None else PushTarget(self.endpoint, p256dh, auth)


def read_subscription(request: Request) -> NewSubscription | Unreadable | BadSubscription:
    """The body; further members, such as expirationTime, are ignored."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    endpoint, keys, shows = fields.get("endpoint"), fields.get("keys"), fields.get("showsContent", False)
    if not isinstance(endpoint, str) or not isinstance(keys, dict) or not isinstance(shows, bool):
        return BadSubscription()
    p256dh, auth = keys.get("p256dh"), keys.get("auth")
    if not isinstance(p256dh, str) or not isinstance(auth, str):
        return BadSubscription()
    asked = NewSubscription(endpoint, PushKeys(p256dh, auth), shows)
    return BadSubscription() if asked.target is None else asked


def _decode(text: str, length: int) -> bytes | None:
    """Base64 for URLs, with or without padding, of so many bytes."""
    if len(text) > 2 * length:
        return None
    try:
        data = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == length else None


def read_subscription_id(request: Request) -> SubscriptionId | SubscriptionNotFound:
    """The subscription in the path."""
    number = parse_id(request.params["subscription"])
    return SubscriptionNotFound() if number is None else SubscriptionId(number)


# --- what is shown
class PushKey(JsonAnswer, frozen=True, rename="camel"):
    """The key that browsers bind a subscription to, their `applicationServerKey` (RFC 8292)."""

    public_key: Annotated[str, described("An uncompressed point of P-256 in Base64 for URLs.", POINT)]


class SubscriptionMade(JsonAnswer, frozen=True, rename="camel"):
    """The subscription was added, or replaced the one with the same endpoint."""

    http_status: ClassVar[int] = 201

    subscription_id: SubscriptionIdField


class SubscriptionBody(msgspec.Struct, frozen=True, rename="camel"):
    """A subscription of the asker's. host: of its push service."""

    subscription_id: SubscriptionIdField
    host: Annotated[str, described("The push service.", "push.example.net")]
    shows_content: Annotated[bool, described("Whether messages have the posts in them.", False)]
    created_at: TimeField


class PushShown(JsonAnswer, frozen=True):
    """The asker's subscriptions, the newest first, and the rooms of which no push tells."""

    subscriptions: tuple[SubscriptionBody, ...]
    muted: tuple[RoomIdField, ...]


def push_shown(choices: PushChoices) -> PushShown:
    """What somebody has chosen."""
    bodies = [
        SubscriptionBody(it.id, it.host, it.shows_content, iso_seconds(it.created_at))
        for it in choices.subscriptions
    ]
    return PushShown(tuple(bodies), choices.muted)


# --- what is pushed
class PushedEvent(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The JSON of a message: who and where. words: the same for the reader. content: where the reader wants it."""

    type: Annotated[str, described("NewPost or RoomInvitation.", "NewPost")]
    room_id: RoomIdField
    room: RoomNameField
    user_id: UserIdField
    username: UsernameField
    words: str
    count: int | UnsetType = UNSET
    post_id: PostIdField | UnsetType = UNSET
    content: str | UnsetType = UNSET


def write_push(content: PushContent) -> bytes:
    """The text of a message; a post in it is shortened until it fits."""
    message, texts = content.message, CATALOGUES[match_language(content.language) or LANGUAGES[0]].push
    text = texts.post if message.posts == 1 else texts.posts
    pushed = PushedEvent(
        type="RoomInvitation" if message.post is None else "NewPost",
        room_id=message.room,
        room=content.room,
        user_id=message.actor,
        username=content.author,
        words=(texts.invited if message.post is None else text).format(
            name=content.author, count=message.posts
        ),
        count=message.posts or UNSET,
        post_id=message.post or UNSET,
    )
    if content.post is None or not content.shows_content:
        return _encode(pushed)
    shown, left = content.post.content, len(content.post.content)
    while len(encoded := _encode(msgspec.structs.replace(pushed, content=shown))) > MOST_BYTES:
        left = left * 3 // 4
        shown = content.post.content[:left] + "…"
    return encoded


_encode = msgspec.json.Encoder().encode
