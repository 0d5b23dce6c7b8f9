"""What operators are shown of webhooks."""

from typing import Annotated, ClassVar

import msgspec

from regserver.domain.instant import iso_seconds
from regserver.domain.webhook import OutstandingHook, WebhookId
from regserver.service.operator.webhook import ShownWebhook
from regserver.web.admin.show import CountNumber, PlainText, RowNumber, WordText, time_or_none
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import TimeField, UserIdField, described


class WebhookBody(msgspec.Struct, frozen=True, rename="camel"):
    """A webhook without its key. url: null where it was sealed with another key. fault: of its receiver, or of what waits."""

    number: RowNumber
    url: PlainText | None
    events: tuple[WordText, ...]
    note: PlainText
    waiting: CountNumber
    given_up: CountNumber
    fault: PlainText | None
    created_at: TimeField
    delivered_at: TimeField | None
    disabled_at: TimeField | None
    waiting_since: TimeField | None


class WebhookList(JsonAnswer, frozen=True):
    """All webhooks."""

    webhooks: tuple[WebhookBody, ...]


class WebhookMade(JsonAnswer, frozen=True):
    """A new webhook. secret: the key of its signatures, shown this once."""

    http_status: ClassVar[int] = 201

    number: RowNumber
    secret: Annotated[str, described("As Standard Webhooks write it.", "whsec_c2VjcmV0")]


class WebhookTried(JsonAnswer, frozen=True):
    """What came of a trial. status: that the receiver answered with; 0 for no answer. fault: empty where all is well."""

    number: RowNumber
    status: CountNumber
    fault: PlainText


class WebhookReplayed(JsonAnswer, frozen=True):
    """How many events are delivered again."""

    number: RowNumber
    events: CountNumber


class DeliveryBody(msgspec.Struct, frozen=True, rename="camel"):
    """An event that is still to be told. account: whom it is about. fault: of the last attempt."""

    position: RowNumber
    event: WordText
    account: UserIdField | None
    at: TimeField
    attempts: CountNumber
    due_at: TimeField
    fault: PlainText | None


class DeliveryList(JsonAnswer, frozen=True):
    """What a webhook is still to be told, the oldest first, at most 1000."""

    deliveries: tuple[DeliveryBody, ...]


def webhook_body(each: ShownWebhook) -> WebhookBody:
    """A webhook as operators see it."""
    found = each.webhook
    return WebhookBody(
        number=found.id,
        url=each.url,
        events=found.kind_list,
        note=found.note,
        waiting=each.backlog.waiting,
        given_up=found.given_up,
        fault=each.fault,
        created_at=iso_seconds(found.created_at),
        delivered_at=time_or_none(found.delivered_at),
        disabled_at=time_or_none(found.disabled_at),
        waiting_since=time_or_none(each.backlog.oldest),
    )


def delivery_body(each: OutstandingHook) -> DeliveryBody:
    """A delivery as operators see it."""
    return DeliveryBody(
        each.position,
        each.kind,
        each.account,
        iso_seconds(each.at),
        each.attempts,
        iso_seconds(each.due_at),
        each.fault,
    )


def replayed(webhook: WebhookId, events: int) -> WebhookReplayed:
    """How many events are delivered again."""
    return WebhookReplayed(webhook, events)
