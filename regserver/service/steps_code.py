"""The codes of the registration by steps: what is drawn, what is spent for it, and how it is taken back."""

import msgspec

from regserver.domain.address import client_key
from regserver.domain.code import new_code
from regserver.domain.contact import Contact, Pepper, country_prefix
from regserver.domain.instant import DAY, Duration, Instant, after
from regserver.domain.steps_machine import CODE_TRIES, FIRST, Registration, StepsState, TooManyRetries
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.mailer import Mail
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Lock, Transaction
from regserver.service.outbox import Outbox

MAIL_SUBJECT = "Your registration code"
MAIL_TEXT = (
    "{code} is your registration code.\n\nIt is valid for {minutes} minutes. Do not share it with anyone.\n"
)


class StepsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's figures.

    cycle_ttl: from the first code until a registration without an answer starts again.
    verified_ttl: the same after the answer, until the account is written. claim_ttl: life of a name's reservation.
    daily_*: messages and guesses in 24 hours. bounded: whether those per address and country prefix count.
    text: of an SMS, with {code} in it.
    """

    code_digits: int = 6
    code_ttl: Duration = Duration(600_000)
    resend_after: Duration = Duration(45_000)
    max_resends: int = 3
    cycle_ttl: Duration = DAY
    verified_ttl: Duration = Duration(7 * DAY)
    claim_ttl: Duration = DAY
    user_id_prefix: str = "reg1"
    identity_secure_key: str = ""
    require_token: bool = False
    daily_tries_per_contact: int = 10
    daily_codes_per_contact: int = 10
    daily_codes_per_address: int = 100
    daily_codes_per_prefix: int = 5000
    bounded: bool = True
    text: str = "{code} is your registration code. Do not share it with anyone."

    def __repr__(self) -> str:
        return "StepsPolicy(…)"  # it holds a key


class Issued(msgspec.Struct, frozen=True):
    """A code that was written and is to be sent."""

    before: Registration
    after: Registration
    code: str
    budgets: tuple[Budget, ...]


class StepCodes:
    """Used by StepsService inside its transactions."""

    def __init__(
        self, clock: Clock, randomness: Randomness, pepper: Pepper, outbox: Outbox, policy: StepsPolicy
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._pepper = pepper
        self._outbox = outbox
        self._policy = policy

    async def issue(
        self, transaction: Transaction, found: Registration, contact: Contact, address: str, state: StepsState
    ) -> Issued | TooManyRetries:
        """A new code in place of any other; leads to `state`."""
        now = self._clock.now()
        budgets = self._budgets(found, contact, address)
        if (spent := await transaction.budgets.spend(budgets, now)) is not None:
            return TooManyRetries(state=found.state, retry_at=spent.until)
        code = new_code(self._policy.code_digits, self._randomness.below)
        again = found.state == state
        issued = msgspec.structs.replace(
            found,
            state=state,
            code=self._pepper.code_mac(found.contact, code),
            code_expires_at=after(now, self._policy.code_ttl),
            code_tries=CODE_TRIES,
            resends=found.resends + 1 if again else 0,
            retry_at=after(now, self._policy.resend_after),
            lapses_at=found.lapses_at if again else after(now, self._policy.cycle_ttl),
            updated_at=now,
        )
        await transaction.registrations.save(issued)
        if contact.kind == "email":
            await self._outbox.enqueue(transaction, self._mail(contact, code))
        return Issued(found, issued, code, budgets)

    async def take_back(self, transaction: Transaction, issued: Issued) -> None:
        """Undoes `issue`, unless another code has come since."""
        await transaction.lock(Lock.CONTACT, issued.after.lookup)
        current = await transaction.registrations.by_contact(issued.after.contact)
        if current is None or current.code != issued.after.code:
            return
        if issued.before.state == FIRST[issued.before.kind]:
            await transaction.registrations.remove(issued.before.contact)
        else:
            await transaction.registrations.save(issued.before)
        await transaction.budgets.give_back(issued.budgets)

    async def spend_try(self, transaction: Transaction, found: Registration, now: Instant) -> bool:
        """Counts one comparison against the code and the contact's day; False when the day has none left."""
        day = Budget(
            self._pepper.budget_key("tries", found.contact), self._policy.daily_tries_per_contact, DAY
        )
        if await transaction.budgets.spend([day], now) is not None:
            return False
        await transaction.registrations.save(
            msgspec.structs.replace(found, code_tries=found.code_tries - 1, updated_at=now)
        )
        return True

    def next_retry(self, issued: Registration) -> Instant | None:
        """When the next code may be asked for: after the last one of a cycle that is when the cycle ends."""
        return issued.lapses_at if issued.resends >= self._policy.max_resends else issued.retry_at

    def text(self, code: str) -> str:
        return self._policy.text.replace("{code}", code)

    def _mail(self, contact: Contact, code: str) -> Mail:
        return Mail(
            to=contact.value,
            subject=MAIL_SUBJECT,
            text=MAIL_TEXT.format(code=code, minutes=-(-self._policy.code_ttl // 60_000)),
            good_until=after(self._clock.now(), self._policy.code_ttl),
        )

    def budget_of_contact(self, found: Registration) -> Budget:
        return Budget(
            self._pepper.budget_key("codes", found.contact), self._policy.daily_codes_per_contact, DAY
        )

    def _budgets(self, found: Registration, contact: Contact, address: str) -> tuple[Budget, ...]:
        budgets = [self.budget_of_contact(found)]
        if self._policy.bounded and address:
            key = self._pepper.budget_key("address", client_key(address))
            budgets.append(Budget(key, self._policy.daily_codes_per_address, DAY))
        if self._policy.bounded and contact.kind == "phone":
            key = self._pepper.budget_key("prefix", country_prefix(contact.value))
            budgets.append(Budget(key, self._policy.daily_codes_per_prefix, DAY))
        return tuple(budgets)
