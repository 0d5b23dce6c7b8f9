"""Webhooks: what happened here, told to the operator's own services by HTTP, in the form of Standard Webhooks.

    POST url
    webhook-id: msg_…                         the same at every attempt and replay, so that a receiver knows it again
    webhook-timestamp: 1600000000             of the attempt
    webhook-signature: v1,base64(HMAC-SHA256(secret, id.timestamp.body))

    {"type": "room.left", "timestamp": "2020-09-13T12:26:40Z", "position": 17, "data": {"roomId": 3, "userId": 1, …}}

A body says who and which, by numbers and user names, and never what was written. An event is stored as numbers alone; the
user name is looked up when it is sent, so that nothing has to be erased here with a person.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Literal, NewType, get_args
from urllib.parse import urlsplit

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.address import is_host, is_public, parse_address
from regserver.domain.instant import Instant, iso_seconds
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, Left, Posted, Removed, RoomEvent, leaver

WebhookId = NewType("WebhookId", int)
HookPosition = NewType("HookPosition", int)
"""Of an event among all that were told; later events have higher ones."""

HookKind = Literal[
    "user.created",
    "user.verified",
    "user.deleted",
    "user.suspended",
    "registration.failed",
    "sign_in.failed",
    "room.created",
    "room.left",
    "post.created",
]
HOOK_KINDS: tuple[HookKind, ...] = get_args(HookKind)
ROOM_KINDS: tuple[HookKind, ...] = ("room.created", "room.left", "post.created")
"""Told of what the event log of the rooms says."""
ALL_KINDS = "*"
TEST_KIND = "webhook.test"

SECRET_PREFIX = "whsec_"  # noqa: S105  (how a secret begins)
SECRET_BYTES = 32
MAX_URL_LENGTH = 2048
MAX_NOTE_LENGTH = 200
MOST_WEBHOOKS = 50

HookValue = str | int | bool


class Webhook(msgspec.Struct, frozen=True):
    """A receiver. kinds: ALL_KINDS, or HookKinds between commas, beginning and ending with one.

    sealed: its WebhookTarget. disabled_at: when the receiver said that it is gone. paused_until, failures, fault: while the
    receiver itself fails. given_up: deliveries that were tried for too long.
    """

    id: WebhookId
    sealed: bytes
    kinds: str
    note: str
    created_at: Instant
    disabled_at: Instant | None
    paused_until: Instant
    failures: int
    fault: str | None
    delivered_at: Instant | None
    given_up: int

    @property
    def kind_list(self) -> tuple[str, ...]:
        """The kinds of events that it is told."""
        return HOOK_KINDS if self.kinds == ALL_KINDS else tuple(self.kinds.strip(",").split(","))


class HookBacklog(msgspec.Struct, frozen=True):
    """What a webhook is still to be told. oldest: since when the first of it is tried. fault: of one that was refused."""

    waiting: int
    oldest: Instant | None
    fault: str | None


class WebhookTarget(msgspec.Struct, frozen=True):
    """Where to, and the key of the signature. Both may let somebody in, so both are kept encrypted."""

    url: str
    secret: bytes

    def __repr__(self) -> str:
        return "WebhookTarget(…)"


class NewHookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. subject: events of one subject are told in their order. data: beside the account's number."""

    kind: HookKind
    subject: str
    account: AccountId | None
    at: Instant
    data: Mapping[str, HookValue] = {}


class HookDelivery(msgspec.Struct, frozen=True):
    """An event on its way to one receiver. username: of its account, as it is now. due_since: since when it is tried."""

    position: HookPosition
    kind: str
    subject: str
    account: AccountId | None
    username: str | None
    data: str
    at: Instant
    attempts: int
    due_since: Instant


class OutstandingHook(msgspec.Struct, frozen=True):
    """A delivery as the operator sees it. account: whom it is about. due_at: of the next attempt. fault: of the last one."""

    position: HookPosition
    kind: str
    account: AccountId | None
    at: Instant
    attempts: int
    due_at: Instant
    fault: str | None


class HookMessage(msgspec.Struct, frozen=True):
    """What is sent."""

    id: str
    body: bytes


def account_hook(
    kind: HookKind, account: AccountId, now: Instant, data: Mapping[str, HookValue] | None = None
) -> NewHookEvent:
    """Something that happened to an account."""
    return NewHookEvent(kind=kind, subject=f"account:{account}", account=account, at=now, data=data or {})


def room_hook(event: RoomEvent) -> NewHookEvent | None:
    """What an event of the rooms' log is told as; None for what is not told."""
    kind: HookKind
    extra: dict[str, HookValue] = {}
    match event.change:
        case Created():
            kind = "room.created"
        case Left(deleted=deleted):
            kind, extra = "room.left", {"userDeleted": deleted}
        case Removed():
            kind, extra = "room.left", {"userDeleted": False}
        case Posted(post=post):
            kind, extra = "post.created", {"postId": post}
        case _:
            return None
    data = {"roomId": event.room, **extra}
    return NewHookEvent(
        kind=kind,
        subject=room_subject(event.room),
        account=leaver(event) or event.actor,
        at=event.at,
        data=data,
    )


def room_subject(room: RoomId) -> str:
    """The subject of a room's events."""
    return f"room:{room}"


def write_message(delivery: HookDelivery, key: bytes) -> HookMessage:
    """The message of an event. key: the server's, for the ids of messages: after a restore from a backup positions repeat."""
    data: dict[str, HookValue] = {}
    if delivery.account is not None:
        data = {"userId": delivery.account, "username": delivery.username or ""}
    data |= msgspec.json.decode(delivery.data, type=dict[str, str | int | bool])
    body = {
        "type": delivery.kind,
        "timestamp": iso_seconds(delivery.at),
        "position": delivery.position,
        "data": data,
    }
    named = f"{delivery.position} {delivery.at} {delivery.kind} {delivery.subject}"
    mac = hmac.digest(key, named.encode("utf-8", "surrogatepass"), hashlib.sha256)[:20]
    return HookMessage(f"msg_{base64.b32encode(mac).decode().lower()}", msgspec.json.encode(body))


def trial_message(secret_id: str, now: Instant) -> HookMessage:
    """A message that tells of nothing, to try a receiver."""
    body = {"type": TEST_KIND, "timestamp": iso_seconds(now), "position": 0, "data": {}}
    return HookMessage(f"msg_{secret_id}", msgspec.json.encode(body))


def signed_fields(message: HookMessage, secret: bytes, seconds: int) -> tuple[tuple[str, str], ...]:
    """The header fields of one attempt. seconds: of the system clock, since the epoch."""
    signed = b".".join((message.id.encode(), str(seconds).encode(), message.body))
    mac = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return (
        ("content-type", "application/json"),
        ("webhook-id", message.id),
        ("webhook-timestamp", str(seconds)),
        ("webhook-signature", f"v1,{mac}"),
    )


def write_secret(secret: bytes) -> str:
    """As Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def read_secret(text: str) -> bytes | None:
    """The key in `whsec_…`, of 24 to 64 bytes; None for any other text."""
    if not text.startswith(SECRET_PREFIX):
        return None
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if 24 <= len(secret) <= 64 else None


def read_kinds(text: str) -> str | None:
    """Kinds between commas as they are stored; None if one is unknown. "" and "*": all of them, also later ones."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or names == [ALL_KINDS]:
        return ALL_KINDS
    if set(names) - set(HOOK_KINDS):
        return None
    return f",{','.join(kind for kind in HOOK_KINDS if kind in names)},"


def url_fault(url: str, *, allow_private: bool) -> str | None:
    """Why nothing is sent to this URL; None where it may be. What its host resolves to is checked at each connection."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return "expected an https URL"
    if (
        len(url) > MAX_URL_LENGTH
        or not re.fullmatch(r"[!-~]+", url)
        or not is_host(parts.netloc.rpartition("@")[2])
    ):
        return "expected an https URL"
    if "@" in parts.netloc or parts.fragment or port == 0:
        return "expected an https URL without a user name and a fragment"
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        return (
            "expected https, so that nobody on the way reads who does what (http with webhook.allow_private)"
        )
    if not allow_private and parse_address(host) is not None and not is_public(host):
        return f"{host} is no public address (webhook.allow_private)"
    return None
