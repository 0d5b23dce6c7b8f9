"""Subscriptions to Web Push, muted rooms, and the messages that wait."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.push import PushMessage, PushSubscription, SubscriptionId
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId
from regserver.ports.push_subscription_table import KnownSubscription, NewPushSubscription
from regserver.store.sql.statement import Rows

ALIVE = (
    " JOIN token ON token.hash = push_subscription.token_hash AND token.expires_at > ?"
    " JOIN account ON account.id = push_subscription.account_id AND account.deleted_at IS NULL AND waits_for IS NULL"
    " AND account.suspended_at IS NULL"
)
"""Of a subscription: its session and its account."""
MESSAGE = "subscription_id, room_id, actor_id, post_id, posts, created_at, attempts"
MANY = 1_000_000

Found = tuple[tuple[SubscriptionId, AccountId], ...]


class PushSubscriptionRows(Rows):
    """The tables push_subscription and room_mute."""

    async def add(self, new: NewPushSubscription, most: int) -> SubscriptionId:
        """The endpoint's unique key settles who has it."""
        await self._sql.run("DELETE FROM push_subscription WHERE endpoint = ?", new.endpoint)
        number = await self._sql.insert(
            "INSERT INTO push_subscription (account_id, token_hash, endpoint, host, sealed, language, shows_content,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(new.account, new.token, new.endpoint, new.host, new.sealed, new.language),
            *(int(new.shows_content), new.created_at),
        )
        await self._sql.run(
            "DELETE FROM push_subscription WHERE id IN"
            " (SELECT id FROM push_subscription WHERE account_id = ? ORDER BY id DESC LIMIT ? OFFSET ?)",
            *(new.account, MANY, most),
        )
        return SubscriptionId(number)

    async def any(self) -> bool:
        """Reads one row at most."""
        return await self._sql.row("SELECT 1 FROM push_subscription LIMIT 1") is not None

    async def of_account(self, account: AccountId) -> tuple[PushSubscription, ...]:
        """Uses the index of an account's."""
        statement = "SELECT id, host, shows_content, created_at FROM push_subscription WHERE account_id = ? ORDER BY id DESC"
        rows = await self._sql.rows(statement, account)
        return tuple([PushSubscription(row[0], row[1], bool(row[2]), row[3]) for row in rows])

    async def remove(self, account: AccountId, subscription: SubscriptionId) -> bool:
        """Uses the primary key; the messages go by their foreign key."""
        statement = "DELETE FROM push_subscription WHERE id = ? AND account_id = ?"
        return await self._sql.run(statement, subscription, account) == 1

    async def drop(self, subscription: SubscriptionId) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM push_subscription WHERE id = ?", subscription)

    async def find(self, subscription: SubscriptionId, now: Instant) -> KnownSubscription | None:
        """Uses the primary keys."""
        statement = (
            "SELECT push_subscription.account_id, sealed, language, shows_content"
            f" FROM push_subscription{ALIVE} WHERE push_subscription.id = ?"
        )
        row = await self._sql.row(statement, now, subscription)
        return None if row is None else KnownSubscription(row[0], bytes(row[1]), row[2], bool(row[3]))

    async def of_room(self, room: RoomId, event: EventId, now: Instant) -> Found:
        """Uses the index of a room's members, then that of an account's subscriptions."""
        statement = (
            f"SELECT push_subscription.id, push_subscription.account_id FROM push_subscription{ALIVE}"
            " JOIN membership ON membership.account_id = push_subscription.account_id"
            " WHERE membership.room_id = ? AND left_event IS NULL AND joined_event <= ? AND NOT EXISTS"
            " (SELECT 1 FROM room_mute WHERE room_mute.account_id = membership.account_id AND room_mute.room_id = ?)"
        )
        return tuple([(row[0], row[1]) for row in await self._sql.rows(statement, now, room, event, room)])

    async def of_accounts(self, accounts: Sequence[AccountId], now: Instant) -> Found:
        """A statement for every MAX_LIST accounts."""
        among = (
            f"SELECT push_subscription.id, push_subscription.account_id FROM push_subscription{ALIVE}"
            " WHERE push_subscription.account_id"
        )
        return tuple([(row[0], row[1]) for row in await self._among(accounts, among, now)])

    # --- muted rooms
    async def mute(self, account: AccountId, room: RoomId, most: int) -> None:
        """One INSERT that counts first."""
        statement = (
            "INSERT INTO room_mute (account_id, room_id) SELECT ?, ?"
            " WHERE (SELECT count(*) FROM room_mute WHERE account_id = ?) < ?"
            " ON CONFLICT (account_id, room_id) DO NOTHING"
        )
        await self._sql.run(statement, account, room, account, most)

    async def unmute(self, account: AccountId, room: RoomId) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM room_mute WHERE account_id = ? AND room_id = ?", account, room)

    async def muted(self, account: AccountId) -> tuple[RoomId, ...]:
        """Uses the primary key, which begins with the account."""
        statement = "SELECT room_id FROM room_mute WHERE account_id = ? ORDER BY room_id"
        return tuple([row[0] for row in await self._sql.rows(statement, account)])


class PushQueueRows(Rows):
    """The tables push_message and push_position. A leased message has a due time in the future and the name of its node."""

    async def position(self) -> EventId:
        """The one row."""
        return EventId(int(await self._sql.value("SELECT position FROM push_position")))

    async def move(self, position: EventId, before: EventId) -> bool:
        """One UPDATE that compares: of two nodes one moves it."""
        statement = "UPDATE push_position SET position = ? WHERE position = ?"
        return await self._sql.run(statement, position, before) == 1

    async def add(self, messages: Sequence[PushMessage], due_at: Instant) -> None:
        """One INSERT for each."""
        statement = (
            "INSERT INTO push_message (subscription_id, room_id, actor_id, post_id, posts, created_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subscription_id, room_id) DO UPDATE SET"
            " actor_id = excluded.actor_id, post_id = coalesce(excluded.post_id, push_message.post_id),"
            " posts = push_message.posts + excluded.posts, created_at = excluded.created_at"
        )
        rows = [
            (it.subscription, it.room, it.actor, it.post, it.posts, it.created_at, due_at) for it in messages
        ]
        await self._sql.run_many(statement, rows)

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[PushMessage, ...]:
        """One UPDATE over the index of due times."""
        # due_at is compared twice: PostgreSQL evaluates the outer condition again when another node has changed the row.
        statement = (
            "UPDATE push_message SET due_at = ?, node = ?, attempts = attempts + 1 WHERE due_at <= ?"
            " AND (subscription_id, room_id) IN"
            " (SELECT subscription_id, room_id FROM push_message WHERE due_at <= ? ORDER BY due_at LIMIT ?)"
            f" RETURNING {MESSAGE}"
        )
        rows = await self._sql.rows(statement, until, node, now, now, limit)
        return tuple([_message(*row) for row in rows])

    async def release(self, node: str, now: Instant) -> int:
        """One UPDATE."""
        return await self._sql.run(
            "UPDATE push_message SET due_at = ?, node = NULL WHERE node = ?", now, node
        )

    async def remove(self, message: PushMessage) -> None:
        """A DELETE that compares, else an UPDATE."""
        where = "WHERE subscription_id = ? AND room_id = ?"
        key = (message.subscription, message.room)
        statement = f"DELETE FROM push_message {where} AND posts = ? AND created_at = ?"
        if not await self._sql.run(statement, *key, message.posts, message.created_at):
            again = f"UPDATE push_message SET due_at = created_at, attempts = 0, node = NULL {where}"
            await self._sql.run(again, *key)

    async def postpone(self, message: PushMessage, due_at: Instant) -> None:
        """Uses the primary key."""
        statement = (
            "UPDATE push_message SET due_at = ?, node = NULL WHERE subscription_id = ? AND room_id = ?"
        )
        await self._sql.run(statement, due_at, message.subscription, message.room)

    async def awaited(self, limit: int) -> tuple[AccountId, ...]:
        """Uses the index of due times."""
        statement = (
            "SELECT account_id FROM push_message JOIN push_subscription"
            " ON push_subscription.id = push_message.subscription_id WHERE node IS NULL ORDER BY due_at LIMIT ?"
        )
        rows = await self._sql.rows(statement, limit)
        return tuple({AccountId(row[0]): None for row in rows})

    async def withdraw(self, accounts: Sequence[AccountId]) -> None:
        """Uses the index of an account's subscriptions, and the primary key."""
        statement = (
            "DELETE FROM push_message WHERE node IS NULL"
            " AND subscription_id IN (SELECT id FROM push_subscription WHERE account_id = ?)"
        )
        await self._sql.run_many(statement, [(account,) for account in sorted(accounts)])

    async def next_due(self) -> Instant | None:
        """Uses the index of due times."""
        found = await self._sql.value("SELECT min(due_at) FROM push_message")
        return None if found is None else Instant(int(found))


def _message(
    subscription: int,
    room: int,
    actor: int,
    *rest: int,  # in the order of MESSAGE
) -> PushMessage:
    post, posts, created_at, attempts = rest
    return PushMessage(
        subscription=SubscriptionId(subscription),
        room=RoomId(room),
        actor=AccountId(actor),
        post=post,  # type: ignore[arg-type]
        posts=posts,
        created_at=Instant(created_at),
        attempts=attempts,
    )
