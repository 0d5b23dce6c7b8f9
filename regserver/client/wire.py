"""What the server answers, as Structs. Members that a later server adds are ignored."""

from datetime import datetime

import msgspec


class AnswerBody(msgspec.Struct, frozen=True, rename="camel"):
    """Base of answers."""


# --- sign-in and accounts
class Session(AnswerBody, frozen=True):
    """Signed in: the token is good at every door. expires_in: seconds."""

    user_id: int
    token: str
    expires_in: int | None = None

    def __repr__(self) -> str:
        return f"Session(user_id={self.user_id}, …)"


class Account(AnswerBody, frozen=True):
    """One's own account."""

    user_id: int
    username: str
    email: str | None
    email_verified: bool
    rooms: tuple[int, ...]
    created_at: datetime
    updated_at: datetime


class SessionInfo(AnswerBody, frozen=True):
    """One of the account's sessions. name: of a token for a program. current: whether it is the one that asks."""

    session_id: int
    name: str | None
    agent: str
    network: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class NamedToken(AnswerBody, frozen=True):
    """A token for a program of one's own."""

    session_id: int
    token: str


class Ticket(AnswerBody, frozen=True):
    """Opens one WebSocket, once."""

    ticket: str
    expires_in: int


class Passkey(AnswerBody, frozen=True):
    """One passkey."""

    passkey_id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Factors(AnswerBody, frozen=True):
    """The account's second factor and passkeys. recovery_codes: how many are left."""

    totp: bool
    recovery_codes: int
    passkeys: tuple[Passkey, ...]


class Totp(AnswerBody, frozen=True):
    """What the authenticator app takes in. qr: the uri as an SVG image."""

    secret: str
    uri: str
    qr: str


# --- rooms
class Post(AnswerBody, frozen=True):
    """A post. user: its author. room: where it stands. username: where the server says it. edited: when it was last, if ever."""

    id: int
    user: int
    room: int
    content: str
    created_at: datetime
    username: str | None = None
    edited: datetime | None = None


class PostPage(AnswerBody, frozen=True):
    """Posts, oldest first. more: there are older ones; with `after`, newer ones."""

    posts: tuple[Post, ...]
    more: bool


class RoomSummary(AnswerBody, frozen=True):
    """A room in the list. users: the first 30 of more than 1000, whose number is user_count."""

    room_id: int
    name: str
    users: tuple[int, ...]
    last_post: Post | None
    unread: int
    user_count: int | None = None


class RoomPage(AnswerBody, frozen=True):
    """Rooms, in the order of joining. more: there are others that were joined before."""

    rooms: tuple[RoomSummary, ...]
    more: bool = False


class Room(AnswerBody, frozen=True):
    """One room. posts: the ids of the newest 1000."""

    room_id: int
    name: str
    users: tuple[int, ...]
    posts: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    last_post: Post | None = None
    user_count: int | None = None


class PersonNamed(AnswerBody, frozen=True):
    """Somebody, by id and name."""

    user_id: int
    username: str


class MemberPage(AnswerBody, frozen=True):
    """Members by id. owner: whose room it is. more: there are others behind them."""

    owner: int | None
    users: tuple[PersonNamed, ...]
    more: bool


class PostsMatched(AnswerBody, frozen=True):
    """Posts that contain a text, oldest first. next: `before` of the next page; None at the room's beginning."""

    posts: tuple[Post, ...]
    next: int | None = None


class Offer(AnswerBody, frozen=True):
    """A room that one may accept or decline."""

    room_id: int
    name: str | None
    user_who_invited: int
    username: str
    created_at: datetime


class Block(AnswerBody, frozen=True):
    """Somebody who cannot bring one into rooms."""

    user_id: int
    username: str
    created_at: datetime


# --- Web Push
class PushSubscription(AnswerBody, frozen=True):
    """One of one's subscriptions. host: of its push service. shows_content: whether messages have the posts in them."""

    subscription_id: int
    host: str
    shows_content: bool
    created_at: datetime


class PushChoices(AnswerBody, frozen=True):
    """One's subscriptions, the newest first, and the rooms of which no push tells."""

    subscriptions: tuple[PushSubscription, ...]
    muted: tuple[int, ...]
