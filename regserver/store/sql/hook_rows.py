"""Webhooks, the events that they are told, and the deliveries that are outstanding."""

from collections.abc import Sequence

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId
from regserver.domain.webhook import (
    ALL_KINDS,
    ROOM_KINDS,
    HookBacklog,
    HookDelivery,
    HookPosition,
    NewHookEvent,
    OutstandingHook,
    Webhook,
    WebhookId,
)
from regserver.ports.transaction import Conflict
from regserver.store.sql.statement import Rows, columns

WEBHOOK_COLUMNS = columns(Webhook)
SUBJECTS = 8
"""Subjects that one lease gets; their runs are sent side by side."""
RUN = 32
"""Deliveries of one subject that one lease gets."""

HEADS = (
    "SELECT event_id, subject FROM hook_delivery WHERE webhook_id = ? AND due_at <= ? AND event_id IN"
    " (SELECT MIN(event_id) FROM hook_delivery WHERE webhook_id = ? GROUP BY subject)"
    " ORDER BY due_at, event_id LIMIT ?"
)
DELIVERIES = (
    "SELECT hook_event.id, kind, hook_event.subject, hook_event.account_id, account.username, data, at, attempts,"
    " due_since FROM hook_delivery JOIN hook_event ON hook_event.id = event_id"
    " LEFT JOIN account ON account.id = hook_event.account_id"
    " WHERE webhook_id = ? AND hook_delivery.subject = ? AND node = ? AND event_id <= ?"
    " ORDER BY event_id"
)

_encode = msgspec.json.Encoder().encode


class HookRows(Rows):
    """The tables webhook, hook_event, hook_delivery and hook_log.

    A delivery is leased if it has a node; the oldest one of a webhook and subject stands for all behind it.
    """

    async def add(self, sealed: bytes, kinds: str, note: str, now: Instant) -> WebhookId:
        """Where nobody is told of rooms yet, their log is told from its end on."""
        statement = "INSERT INTO webhook (sealed, kinds, note, created_at) VALUES (?, ?, ?, ?)"
        if not await self.wanted(ROOM_KINDS):
            await self._sql.run("UPDATE hook_log SET position = (SELECT COALESCE(MAX(id), 0) FROM event)")
        return WebhookId(await self._sql.insert(statement, sealed, kinds, note, now))

    async def reseal(self, webhook: WebhookId, sealed: bytes) -> None:
        """Uses the primary key."""
        await self._sql.run("UPDATE webhook SET sealed = ? WHERE id = ?", sealed, webhook)

    async def remove(self, webhook: WebhookId) -> bool:
        """Events stay, for other webhooks."""
        await self._sql.run("DELETE FROM hook_delivery WHERE webhook_id = ?", webhook)
        return await self._sql.run("DELETE FROM webhook WHERE id = ?", webhook) > 0

    async def find(self, webhook: WebhookId) -> Webhook | None:
        """Uses the primary key."""
        return await self._one(Webhook, f"SELECT {WEBHOOK_COLUMNS} FROM webhook WHERE id = ?", webhook)

    async def list(self) -> tuple[Webhook, ...]:
        """There are few."""
        return await self._all(Webhook, f"SELECT {WEBHOOK_COLUMNS} FROM webhook ORDER BY id")

    async def backlog(self, webhook: WebhookId) -> HookBacklog:
        """Reads all of it, by the primary key."""
        found = await self._one(
            HookBacklog,
            "SELECT count(*), MIN(due_since), MAX(fault) FROM hook_delivery WHERE webhook_id = ?",
            webhook,
        )
        return found or HookBacklog(0, None, None)

    async def outstanding(self, webhook: WebhookId, limit: int) -> tuple[OutstandingHook, ...]:
        """Uses the primary keys."""
        statement = (
            "SELECT hook_event.id, kind, hook_event.account_id, at, attempts, due_at, fault"
            " FROM hook_delivery JOIN hook_event ON hook_event.id = event_id"
            " WHERE webhook_id = ? ORDER BY event_id LIMIT ?"
        )
        return await self._all(OutstandingHook, statement, webhook, limit)

    # --- events
    async def tell(self, event: NewHookEvent) -> None:
        """Mostly one SELECT of a small table, which finds nothing."""
        webhooks = await self._told(event.kind)
        if not webhooks:
            return
        statement = "INSERT INTO hook_event (kind, subject, account_id, data, at) VALUES (?, ?, ?, ?, ?)"
        text = _encode(event.data).decode()
        number = await self._sql.insert(statement, event.kind, event.subject, event.account, text, event.at)
        rows = [(webhook, number, event.subject, event.at, event.at) for webhook in webhooks]
        await self._sql.run_many(
            "INSERT INTO hook_delivery (webhook_id, event_id, subject, due_at, due_since) VALUES (?, ?, ?, ?, ?)",
            rows,
        )

    async def _told(self, kind: str) -> tuple[WebhookId, ...]:
        statement = (
            "SELECT id FROM webhook WHERE disabled_at IS NULL AND (kinds = ? OR kinds LIKE ?) ORDER BY id"
        )
        return tuple([row[0] for row in await self._sql.rows(statement, ALL_KINDS, f"%,{kind},%")])

    async def wanted(self, kinds: Sequence[str]) -> bool:
        """One SELECT for each kind, until one is wanted."""
        for kind in kinds:
            if await self._told(kind):
                return True
        return False

    async def position(self) -> EventId:
        """The one row of hook_log."""
        return EventId(await self._sql.value("SELECT position FROM hook_log"))

    async def move(self, before: EventId, after: EventId) -> None:
        """One UPDATE that compares and writes."""
        if not await self._sql.run("UPDATE hook_log SET position = ? WHERE position = ?", after, before):
            raise Conflict("another process has told of the log meanwhile")

    async def newest(self) -> HookPosition:
        """Uses the primary key."""
        return HookPosition(await self._sql.value("SELECT COALESCE(MAX(id), 0) FROM hook_event"))

    async def position_since(self, at: Instant) -> HookPosition:
        """Uses the index of times."""
        found = await self._sql.value("SELECT MIN(id) FROM hook_event WHERE at >= ?", at)
        return HookPosition(await self.newest() + 1 if found is None else found)

    async def replay(self, webhook: WebhookId, start: HookPosition, now: Instant) -> int:
        """One INSERT from the stored events."""
        goes_on = (
            "UPDATE webhook SET disabled_at = NULL, paused_until = 0, failures = 0, fault = NULL WHERE id = ?"
        )
        await self._sql.run(goes_on, webhook)
        # The values are the table's own, so that both databases know their types.
        statement = (
            "INSERT INTO hook_delivery (webhook_id, event_id, subject, due_at, due_since)"
            " SELECT webhook.id, hook_event.id, subject, CAST(? AS BIGINT), CAST(? AS BIGINT)"
            " FROM hook_event JOIN webhook ON webhook.id = ?"
            " WHERE hook_event.id >= ? AND (kinds = ? OR kinds LIKE '%,' || kind || ',%')"
            " ON CONFLICT DO NOTHING"
        )
        return await self._sql.run(statement, now, now, webhook, start, ALL_KINDS)

    # --- deliveries
    async def due(self, now: Instant) -> tuple[WebhookId, ...]:
        """For each webhook one look into the index of due times."""
        statement = (
            "SELECT id FROM webhook WHERE disabled_at IS NULL AND paused_until <= ? AND EXISTS"
            " (SELECT 1 FROM hook_delivery WHERE webhook_id = webhook.id AND due_at <= ?) ORDER BY id"
        )
        return tuple([row[0] for row in await self._sql.rows(statement, now, now)])

    async def lease(
        self, webhook: WebhookId, node: str, now: Instant, until: Instant
    ) -> tuple[tuple[HookDelivery, ...], ...]:
        """The oldest delivery of a subject first: whoever gets it may take those behind it."""
        runs = []
        for head, subject in await self._sql.rows(HEADS, webhook, now, webhook, SUBJECTS):
            # due_at is compared twice: PostgreSQL evaluates the condition again when another node has changed the row.
            mine = await self._sql.run(
                "UPDATE hook_delivery SET due_at = ?, node = ? WHERE webhook_id = ? AND event_id = ? AND due_at <= ?",
                until,
                node,
                webhook,
                head,
                now,
            )
            if mine:
                runs.append(await self._run_behind(webhook, subject, node, until))
        return tuple(filter(None, runs))

    async def _run_behind(
        self, webhook: WebhookId, subject: str, node: str, until: Instant
    ) -> tuple[HookDelivery, ...]:
        rows = await self._sql.rows(
            "SELECT event_id FROM hook_delivery WHERE webhook_id = ? AND subject = ? ORDER BY event_id LIMIT ?",
            webhook,
            subject,
            RUN,
        )
        last = rows[-1][0]
        await self._sql.run(
            "UPDATE hook_delivery SET due_at = ?, node = ? WHERE webhook_id = ? AND subject = ? AND event_id <= ?",
            until,
            node,
            webhook,
            subject,
            last,
        )
        return await self._all(HookDelivery, DELIVERIES, webhook, subject, node, last)

    async def release(self, node: str, now: Instant) -> int:
        """Searches through what is outstanding, once at a start."""
        return await self._sql.run(
            "UPDATE hook_delivery SET due_at = ?, node = NULL WHERE node = ?", now, node
        )

    async def delivered(self, webhook: WebhookId, position: HookPosition, now: Instant) -> None:
        """A DELETE and an UPDATE by their keys."""
        await self._remove(webhook, position)
        await self._sql.run(
            "UPDATE webhook SET delivered_at = ?, paused_until = 0, failures = 0, fault = NULL WHERE id = ?",
            now,
            webhook,
        )

    async def _remove(self, webhook: WebhookId, position: HookPosition) -> None:
        statement = "DELETE FROM hook_delivery WHERE webhook_id = ? AND event_id = ?"
        await self._sql.run(statement, webhook, position)

    async def postpone(self, webhook: WebhookId, position: HookPosition, due_at: Instant, fault: str) -> None:
        """Uses the primary key."""
        statement = (
            "UPDATE hook_delivery SET due_at = ?, attempts = attempts + 1, fault = ?, node = NULL"
            " WHERE webhook_id = ? AND event_id = ?"
        )
        await self._sql.run(statement, due_at, fault, webhook, position)

    async def give_back(self, webhook: WebhookId, subject: str, node: str, now: Instant) -> None:
        """Uses the index of subjects."""
        statement = "UPDATE hook_delivery SET due_at = ?, node = NULL WHERE webhook_id = ? AND subject = ? AND node = ?"
        await self._sql.run(statement, now, webhook, subject, node)

    async def give_up(self, webhook: WebhookId, position: HookPosition, fault: str) -> None:
        """A DELETE and an UPDATE by their keys."""
        await self._remove(webhook, position)
        statement = "UPDATE webhook SET given_up = given_up + 1, fault = ? WHERE id = ?"
        await self._sql.run(statement, fault, webhook)

    async def pause(self, webhook: WebhookId, until: Instant, fault: str) -> None:
        """Uses the primary key."""
        statement = "UPDATE webhook SET paused_until = ?, failures = failures + 1, fault = ? WHERE id = ?"
        await self._sql.run(statement, until, fault, webhook)

    async def disable(self, webhook: WebhookId, now: Instant, fault: str) -> None:
        """Uses the primary keys."""
        await self._sql.run("DELETE FROM hook_delivery WHERE webhook_id = ?", webhook)
        await self._sql.run("UPDATE webhook SET disabled_at = ?, fault = ? WHERE id = ?", now, fault, webhook)

    async def purge(self, before: Instant, most: int) -> int:
        """Uses the index of times and the primary key. A delivery goes with its event."""
        cut = await self._sql.value("SELECT MAX(id) FROM hook_event WHERE at < ?", before)
        last = max(cut or 0, await self.newest() - most)
        await self._sql.run("DELETE FROM hook_delivery WHERE event_id <= ?", last)
        return await self._sql.run("DELETE FROM hook_event WHERE id <= ?", last)
