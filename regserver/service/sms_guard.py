"""The guard of SMS: it bounds what strangers can make the operator pay for messages that nobody answers.

Whoever earns from messages to a range of numbers ("SMS pumping") has codes sent to all of them. So a code costs, until it
is entered:

    country   numbers of countries that the operator has not named get none
    daily     all messages of 24 hours together
    block     numbers that differ in their last four digits only: 3 an hour and 10 a day
    closed    a country whose codes of the last hour are entered too rarely gets none for an hour

All is counted in the caller's transaction, over all nodes. The service that sends codes calls `admit` before it stores one,
`take_back` when the provider has not accepted it, and `confirm` once it was entered. With the test numbers of
server.test_mode it is not asked.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from regserver.domain.contact import Contact, Pepper
from regserver.domain.instant import DAY, HOUR, Instant, after
from regserver.domain.phone import Country, country_of
from regserver.ports.budget_table import Budget
from regserver.ports.transaction import Lock, Transaction

log = logging.getLogger("regserver.sms")

SmsRule = Literal["country", "closed", "block", "daily"]
SmsOutcome = Literal["sent", "failed", "entered", "test", "country", "closed", "block", "daily"]
EVERYWHERE = "*"
BLOCK_DIGITS = 4
"""The last digits, in which the numbers of one block differ."""
BLOCK_HOURLY, BLOCK_DAILY = 3, 10
LEAST_JUDGED = 20
"""The codes of a country from which on their share of entered ones counts."""
LEAST_ENTERED_PERCENT = 10
CLOSED_FOR = HOUR
MAX_TOLD = 1000
"""Refusals that are remembered, so that each is logged once an hour only."""

WORDS: Mapping[SmsRule, str] = {
    "country": "sms.countries does not name it",
    "closed": "too few of its codes of the last hour were entered; it is closed for an hour",
    "block": "numbers with the same beginning have too many codes that were not entered",
    "daily": "sms.daily_max is reached",
}


class SmsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """countries: two-letter codes, or "*" for all. daily_max: messages in 24 hours.

    guarded: False lifts all bounds, where no message costs anything. test: number → its code, in test mode only.
    """

    countries: frozenset[Country] = frozenset({EVERYWHERE})
    daily_max: int = 1000
    guarded: bool = True
    test: Mapping[str, str] = {}


class SmsHeld(msgspec.Struct, frozen=True):
    """A message that is not sent. until: when a further request makes sense; None for never."""

    rule: SmsRule
    until: Instant | None


class SmsGuard:
    """count: receives the outcome of each request for a message, for metrics."""

    def __init__(
        self, pepper: Pepper, policy: SmsPolicy, count: Callable[[SmsOutcome, Country], None]
    ) -> None:
        self._pepper = pepper
        self._policy = policy
        self._count = count
        self._told: OrderedDict[tuple[SmsRule, str], Instant] = OrderedDict()

    def take(self, policy: SmsPolicy) -> None:
        """Takes other bounds; what is counted stays."""
        self._policy = policy

    def test_code(self, contact: Contact) -> str | None:
        """The fixed code of a test number, to which nothing is sent; None for all others."""
        return self._policy.test.get(contact.value) if contact.kind == "phone" else None

    # --- within the caller's transaction
    async def admit(
        self, transaction: Transaction, phone: str, beside: Sequence[Budget], now: Instant
    ) -> SmsHeld | Instant | None:
        """Counts one message, together with `beside`, the caller's own budgets. A refusal counts nothing.

        An instant: a budget of the caller is spent until then.
        """
        if not self._policy.guarded:
            return await transaction.budgets.spend(beside, now)
        country = country_of(phone)
        if not {EVERYWHERE, country} & self._policy.countries:
            return SmsHeld("country", None)
        await transaction.lock(Lock.SMS, country)
        if (closed_until := await self._closed(transaction, country, now)) is not None:
            return SmsHeld("closed", closed_until)
        spent_until = await transaction.budgets.spend((*beside, *self._budgets(phone)), now)
        if spent_until is not None:
            rule = await self._spent(transaction, phone, now)
            return spent_until if rule is None else SmsHeld(rule, spent_until)
        await transaction.sms.count(country, now, sent=1)
        return None

    async def take_back(self, transaction: Transaction, phone: str, sent_at: Instant) -> None:
        """Undoes `admit`, without the caller's budgets."""
        if self._policy.guarded:
            await transaction.budgets.give_back(self._budgets(phone))
            await transaction.sms.count(country_of(phone), sent_at, sent=-1)

    async def confirm(self, transaction: Transaction, phone: str, codes: int, now: Instant) -> None:
        """Counts an entered code. codes: how many were sent for it; they no longer count towards the block."""
        if self._policy.guarded:
            *block, _ = self._budgets(phone)
            await transaction.budgets.give_back(block * codes)
            await transaction.sms.count(country_of(phone), now, entered=1)

    def _budgets(self, phone: str) -> tuple[Budget, ...]:
        key, block = self._pepper.budget_key, phone[:-BLOCK_DIGITS]
        return (
            Budget(key("sms block, hour", block), BLOCK_HOURLY, HOUR),
            Budget(key("sms block, day", block), BLOCK_DAILY, DAY),
            Budget(key("sms", ""), self._policy.daily_max, DAY),
        )

    async def _spent(self, transaction: Transaction, phone: str, now: Instant) -> SmsRule | None:
        """Which of the guard's own budgets is spent."""
        rules: tuple[SmsRule, ...] = ("block", "block", "daily")
        for rule, budget in zip(rules, self._budgets(phone), strict=True):
            if await transaction.budgets.spent(budget.key, budget.window, now) >= budget.limit:
                return rule
        return None

    async def _closed(self, transaction: Transaction, country: Country, now: Instant) -> Instant | None:
        """Until when the country is closed. Closes it if its share of entered codes has become too small."""
        tally = await transaction.sms.tally(country, Instant(now - HOUR))
        if tally.closed_until is not None and tally.closed_until > now:
            return tally.closed_until
        if tally.sent < LEAST_JUDGED or tally.entered * 100 >= tally.sent * LEAST_ENTERED_PERCENT:
            return None
        until = after(now, CLOSED_FOR)
        await transaction.sms.close(country, now, until)
        return until

    # --- after the commit
    def count(self, outcome: SmsOutcome, contact: Contact) -> None:
        """Counts what became of a message to a phone number."""
        self._count(outcome, country_of(contact.value))

    def tell_nowait(self, contact: Contact, held: SmsHeld, now: Instant) -> None:
        """Counts a refusal, and logs it unless a like one was logged within the hour."""
        country = country_of(contact.value)
        self._count(held.rule, country)
        scope = contact.value[:-BLOCK_DIGITS] if held.rule == "block" else country
        key = held.rule, "" if held.rule == "daily" else scope
        if self._told.get(key, now) > now:
            return
        self._told[key] = after(now, HOUR)
        self._told.move_to_end(key)
        if len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        log.warning("no SMS to %s (%s): %s", contact.mask, country, WORDS[held.rule])
