"""What operators are shown of registrations by steps."""

from typing import Annotated

import msgspec
from msgspec import Meta

from regserver.domain.instant import iso_seconds
from regserver.domain.steps_machine import Registration, StepsState
from regserver.service.operator.steps import RegistrationOverview
from regserver.web.admin.show import CountNumber, PlainText, WordText, time_or_none
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import TimeField, described

StepsIdField = Annotated[
    str,
    described("Of a registration: a hash of its contact, in hex.", "ab" * 32, min_length=64, max_length=64),
]
ShareNumber = Annotated[int, described("The most in 24 hours.", 10, ge=0)]


class StepsBody(msgspec.Struct, frozen=True, rename="camel"):
    """A registration without contact, code and token. contact: masked. lapsesAt: when it starts anew by itself."""

    id: StepsIdField
    contact: PlainText
    kind: WordText
    provider: PlainText | None
    state: Annotated[StepsState, Meta(description="What the next step is.")]
    username: PlainText | None
    ledger_user_id: PlainText | None
    code_until: TimeField | None
    tries_left: CountNumber
    resends: CountNumber
    retry_at: TimeField | None
    lapses_at: TimeField | None
    updated_at: TimeField


class StepsPage(JsonAnswer, frozen=True):
    """Some registrations, in the order of their ids; more: whether there are further ones behind them."""

    registrations: tuple[StepsBody, ...]
    more: bool


class StepsDetail(JsonAnswer, frozen=True, rename="camel"):
    """One registration, and what of its budgets is spent today. otherTries: from networks other than that of the code."""

    registration: StepsBody
    codes: CountNumber
    tries: CountNumber
    other_tries: CountNumber
    most_codes: ShareNumber
    most_tries: ShareNumber


def steps_body(found: Registration) -> StepsBody:
    """A registration as operators see it."""
    return StepsBody(
        id=found.contact.hex(),
        contact=found.mask,
        kind=found.kind,
        provider=found.provider,
        state=found.state,
        username=found.username,
        ledger_user_id=found.user_id,
        code_until=time_or_none(found.code_expires_at if found.code is not None else None),
        tries_left=found.code_tries if found.code is not None else 0,
        resends=found.resends,
        retry_at=time_or_none(found.retry_at),
        lapses_at=time_or_none(found.lapses_at),
        updated_at=iso_seconds(found.updated_at),
    )


def steps_detail(found: RegistrationOverview) -> StepsDetail:
    """One registration with its budgets."""
    return StepsDetail(
        steps_body(found.registration),
        found.codes_spent,
        found.tries_spent,
        found.other_tries_spent,
        found.policy.daily_codes_per_contact,
        found.policy.daily_tries_per_contact,
    )
