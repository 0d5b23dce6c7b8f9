"""Finding posts in a room, its members, and people by the beginning of their names.

A search reads the room backwards from a post, at most MOST_SCANNED posts and MOST_BYTES, so that no search costs more than
that however long the room is; it says where to go on. Letters are compared without case, in any script, alike on every store.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

import unicodedata
from typing import Literal

import msgspec

from regserver.domain.account import Account, AccountId, name_key
from regserver.domain.instant import Instant
from regserver.domain.room import Member, Post, PostId, RoomId, listed_bytes
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Transaction
from regserver.service.room_admission import RoomAdmission, Unadmitted
from regserver.service.room_service import NoAccess, RoomActor, in_room

MOST_SCANNED = 5_000
"""Posts that one search reads."""
MOST_BYTES = 4 * 1024 * 1024
PIECE = 250
"""Posts of one statement."""
MOST_FOUND = 50
MEMBERS_LISTED = 1_000
PEOPLE_SUGGESTED = 8

Suggesting = Literal["off", "rooms", "all"]
"""Who is suggested by name: nobody, those who share a room with the asker, everybody."""


class PostSearch(msgspec.Struct, frozen=True):
    """Posts, oldest first. next: where to go on, before this post; None at the room's beginning."""

    posts: tuple[Post, ...]
    next: PostId | None


class MemberPage(msgspec.Struct, frozen=True):
    """Members of a room by number. more: there are others behind them."""

    owner: AccountId | None
    members: tuple[Member, ...]
    more: bool


class RoomSearchService:
    """suggests: who is suggested by name. room_text: a room's id, as in the path."""

    def __init__(self, admission: RoomAdmission, suggests: Suggesting) -> None:
        self._admission = admission
        self.suggests: Suggesting = suggests

    async def search(
        self, token: SecretHash, room_text: str, text: str, before: PostId | None
    ) -> PostSearch | NoAccess:
        """The newest posts before `before` that contain the text, at most MOST_FOUND."""
        wanted = _folded(text)

        async def act(transaction: Transaction, actor: RoomActor) -> PostSearch:
            return await _scan(transaction, actor.room.id, wanted, before)

        return await self._admission.read(token, in_room(room_text, act))

    async def members(
        self, token: SecretHash, room_text: str, after: AccountId, limit: int
    ) -> MemberPage | NoAccess:
        """The members with numbers behind `after`, and whose room it is."""

        async def act(transaction: Transaction, actor: RoomActor) -> MemberPage:
            found = await transaction.rooms.members_after(actor.room.id, after, limit + 1)
            owner = await transaction.rooms.owner(actor.room.id)
            return MemberPage(owner, found[:limit], more=len(found) > limit)

        return await self._admission.read(token, in_room(room_text, act))

    async def people(self, token: SecretHash, start: str) -> tuple[Member, ...] | Unadmitted:
        """At most PEOPLE_SUGGESTED people whose names begin so, as far as the operator lets them be suggested."""
        key = name_key(start)

        async def act(transaction: Transaction, account: Account, _now: Instant) -> tuple[Member, ...]:
            if self.suggests == "off" or not key:
                return ()
            names = transaction.rooms.known_names if self.suggests == "rooms" else transaction.rooms.all_names
            return await names(account.id, key, PEOPLE_SUGGESTED)

        return await self._admission.read(token, act)


async def _scan(transaction: Transaction, room: RoomId, wanted: str, before: PostId | None) -> PostSearch:
    found: list[Post] = []
    scanned = size = 0
    while True:
        piece = await transaction.posts.page(room, before, PIECE)
        for post in reversed(piece):
            before, scanned, size = post.id, scanned + 1, size + listed_bytes(post)
            if wanted in _folded(post.content):
                found.append(post)
            if len(found) == MOST_FOUND or scanned >= MOST_SCANNED or size >= MOST_BYTES:
                return PostSearch(tuple(reversed(found)), before)
        if len(piece) < PIECE:
            return PostSearch(tuple(reversed(found)), None)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
