"""Web Push (RFC 8030, 8291, 8292): subscriptions, and what is pushed.

A subscription is an address at a push service, which a browser or a UnifiedPush distributor has made, and the keys that only
it can read by. Whoever knows the address can push to it, so it is kept like a secret.
"""

import hashlib
from typing import NewType
from urllib.parse import SplitResult, urlsplit

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.address import is_public, parse_address
from regserver.domain.instant import Duration, Instant
from regserver.domain.room import PostId, RoomId

SubscriptionId = NewType("SubscriptionId", int)
EndpointHash = NewType("EndpointHash", bytes)

MAX_SUBSCRIPTIONS = 20
"""Of one account; a further one takes the place of the oldest."""
MAX_MUTES = 1000
MAX_ENDPOINT_LENGTH = 1024
POINT_BYTES = 65
AUTH_BYTES = 16
MAX_CONTENT_SHOWN = 1000
"""Characters of a post in a push message, where its person wants to read it there."""


class PushTarget(msgspec.Struct, frozen=True):
    """Where and for whom a message is encrypted. p256dh: the receiver's public key. auth: a secret shared with it."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    def __repr__(self) -> str:
        return "PushTarget(…)"

    @property
    def host(self) -> str:
        """The push service."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def hash(self) -> EndpointHash:
        """By which the endpoint is found again."""
        return EndpointHash(hashlib.sha256(self.endpoint.encode()).digest())


class PushSubscription(msgspec.Struct, frozen=True):
    """What its person sees of a subscription."""

    id: SubscriptionId
    host: str
    shows_content: bool
    created_at: Instant


class PushMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for one subscription about one room. post: the newest of `posts`; None where somebody was brought in."""

    subscription: SubscriptionId
    room: RoomId
    actor: AccountId
    post: PostId | None
    posts: int
    created_at: Instant
    attempts: int = 0


class PushOrder(msgspec.Struct, frozen=True):
    """How a push service shall deliver. ttl: how long it keeps the message. topic: a later one of the same replaces it."""

    ttl: Duration
    topic: str


def is_endpoint(text: str, *, allow_private: bool) -> bool:
    """Whether a push service may be there. allow_private: takes http, and addresses that the Internet does not reach.

    A name is resolved when something is sent, and its addresses are checked then.
    """
    if len(text) > MAX_ENDPOINT_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return False
    if not host or url.scheme not in ({"http", "https"} if allow_private else {"https"}) or _is_odd(url):
        return False
    literal = parse_address(host)
    return allow_private or (host != "localhost" and (literal is None or is_public(host)))


def _is_odd(url: SplitResult) -> bool:
    return bool(url.username or url.password or url.fragment or "\\" in url.netloc)
