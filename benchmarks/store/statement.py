"""The statements of a post, as the store sends them: in one transaction, the last two together with COMMIT."""

import time
from typing import Any

from benchmarks.rooms.world import token
from regserver.domain.secret import hash_secret
from regserver.ports.transaction import Lock
from regserver.store.postgres.dialect import native
from regserver.store.postgres.postgres_sql import LOCK_STATEMENT, lock_query
from regserver.store.sql.event_rows import INSERT

Query = tuple[str, tuple[Any, ...]]

PEOPLE, ROOMS = 50, 50
CONTENT = "x" * 100
TOKEN = (
    "SELECT account.id, username, email, password_hash, door, ledger_name, server, subject, account.created_at,"
    " updated_at, deleted_at, email_verified_at, erased_at, waits_for, suspended_at FROM token"
    " JOIN account ON account.id = token.account_id WHERE token.hash = $1 AND token.expires_at > $2"
)
ROOM = (
    "SELECT id, name, created_at, updated_at, members, EXISTS (SELECT 1 FROM membership WHERE room_id = room.id"
    " AND account_id = $1 AND left_event IS NULL) FROM room WHERE id = $2"
)
ALLOWANCE = (
    "UPDATE allowance SET posts = posts + $1, rooms = rooms + $2, kept_bytes = kept_bytes + $3"
    " WHERE account_id = $4 AND day = $5 AND posts <= $6 AND rooms <= $7 AND kept_bytes <= $8"
)
POST = (
    "INSERT INTO post (room_id, author_id, content, created_at, ordinal, author_ordinal) VALUES ($1, $2, $3, $4,"
    " coalesce((SELECT ordinal FROM post WHERE room_id = $5 ORDER BY id DESC LIMIT 1), 0) + 1,"
    " coalesce((SELECT author_ordinal FROM post WHERE room_id = $6 AND author_id = $7 ORDER BY id DESC LIMIT 1), 0) + 1)"
    " RETURNING id"
)
EVENT = f"{native(INSERT)} RETURNING id"
LOG_LOCK: Query = lock_query(Lock.LOG)
LOCK = LOCK_STATEMENT
FAR = 1 << 60


class Poster:
    """One of the people, who posts to all rooms in turn. number: which of them, from 0."""

    def __init__(self, number: int) -> None:
        self._account = number + 1
        self._hash = hash_secret(token(number))
        self._room = number
        self._day = time.time_ns() // 86_400_000_000_000

    def before(self) -> tuple[list[Query], int]:
        """What comes ahead of the post's own two rows, and the room."""
        self._room += 1
        room, now = self._room % ROOMS + 1, time.time_ns() // 1_000_000
        return [
            (TOKEN, (self._hash, now)),
            (LOCK, lock_query(Lock.ROOM, str(room))[1]),
            (ROOM, (self._account, room)),
            (ALLOWANCE, (1, 0, 600, self._account, self._day, FAR, FAR, FAR)),
        ], room

    def post(self, room: int) -> Query:
        """Its row."""
        return POST, (room, self._account, CONTENT, 1, room, room, self._account)

    def event(self, room: int, post: int) -> Query:
        """That of its event."""
        return EVENT, (room, self._account, 1, "", post)
