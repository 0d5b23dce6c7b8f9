"""The codes of the registration by steps: issuing them within daily budgets, comparing, and taking back."""

import hmac

import msgspec

from regserver.domain.address import client_key
from regserver.domain.code import CODE_TRIES, new_code, read_code
from regserver.domain.contact import Contact, NetworkKey, country_prefix
from regserver.domain.instant import DAY, MINUTE, Instant, after
from regserver.domain.steps_machine import (
    FIRST,
    Registration,
    StepsState,
    TooManyRetries,
    has_code,
    one_try_less,
)
from regserver.ports.budget_table import Budget
from regserver.ports.mailer import Mail
from regserver.ports.transaction import Lock, Transaction
from regserver.service.asker import Asker
from regserver.service.mail_cap import mail_budgets
from regserver.service.sms_guard import SmsHeld
from regserver.service.steps_policy import StepsParts, StepsPolicy


class Issued(msgspec.Struct, frozen=True):
    """A stored code that is to be sent. before, after: the registration. budgets: counted for it, without the SMS guard's.

    is_test: the code of a test number, which is not sent.
    """

    before: Registration
    after: Registration
    code: str
    asker: Asker
    budgets: tuple[Budget, ...]
    is_test: bool = False


class HeldCode(msgspec.Struct, frozen=True):
    """A code that the SMS guard does not let be sent. state: of the registration."""

    state: StepsState
    held: SmsHeld


class StepCodes:
    """Issues codes, takes them back and compares guesses, within the transactions of the steps."""

    def __init__(self, parts: StepsParts, policy: StepsPolicy) -> None:
        self._parts = parts
        self._policy = policy

    async def issue(
        self, transaction: Transaction, found: Registration, contact: Contact, asker: Asker, state: StepsState
    ) -> Issued | TooManyRetries | HeldCode:
        """Stores a new code in place of any other, with the registration in `state`; adds the mail, for an e-mail contact.

        TooManyRetries when a daily budget is spent, HeldCode when the SMS guard refuses.
        """
        now = self._parts.clock.now()
        test_code = self._parts.sms_guard.test_code(contact)
        budgets = self._budgets(found, contact, asker.address)
        if contact.kind == "phone" and test_code is None:
            refused = await self._parts.sms_guard.admit(transaction, contact.value, budgets, now)
        else:
            refused = await transaction.budgets.spend(budgets, now)
        if isinstance(refused, SmsHeld):
            return HeldCode(found.state, refused)
        if refused is not None:
            return TooManyRetries(state=found.state, retry_at=refused)
        code = test_code or new_code(self._policy.code_digits, self._parts.randomness.below)
        again = found.state == state
        issued = msgspec.structs.replace(
            found,
            state=state,
            code=self._parts.pepper.code_mac(found.contact, code),
            code_expires_at=after(now, self._policy.code_ttl),
            network=self._parts.pepper.network_key(asker.address),
            code_tries=CODE_TRIES,
            other_tries=CODE_TRIES,
            resends=found.resends + 1 if again else 0,
            retry_at=after(now, self._policy.resend_after),
            lapses_at=found.lapses_at if again else after(now, self._policy.cycle_ttl),
            updated_at=now,
        )
        await transaction.registrations.save(issued)
        if contact.kind == "email":
            await self._parts.outbox.enqueue(transaction, self._mail(contact, code, asker.language))
        return Issued(found, issued, code, asker, budgets, is_test=test_code is not None)

    async def take_back(self, transaction: Transaction, contact: Contact, issued: Issued) -> None:
        """Undoes `issue`, unless another code was issued since."""
        await transaction.lock(Lock.CONTACT, issued.after.lookup)
        current = await transaction.registrations.by_contact(issued.after.contact)
        if current is None or current.code != issued.after.code:
            return
        if issued.before.state == FIRST[issued.before.kind]:
            await transaction.registrations.remove(issued.before.contact)
        else:
            await transaction.registrations.save(issued.before)
        await transaction.budgets.give_back(issued.budgets)
        if contact.kind == "phone" and not issued.is_test:
            sent_at = issued.after.updated_at
            await self._parts.sms_guard.take_back(transaction, contact.value, sent_at)

    async def compare(
        self, transaction: Transaction, found: Registration, guess: int | str, address: str
    ) -> bool:
        """Whether the guess is the code. The try is counted first, in the same transaction.

        A guess that cannot be a code costs no try. address: the client's, whose network the try belongs to.
        """
        now, code = self._parts.clock.now(), read_code(guess, self._policy.code_digits)
        if code is None or not has_code(found, now):
            return False
        network = self._parts.pepper.network_key(address)
        counted = one_try_less(found, network, now)
        if counted is None or await transaction.budgets.spend([self._tries(found, network)], now) is not None:
            return False
        await transaction.registrations.save(counted)
        expected = self._parts.pepper.code_mac(found.contact, code)
        return found.code is not None and hmac.compare_digest(found.code, expected)

    async def confirm(self, transaction: Transaction, found: Registration, contact: Contact) -> None:
        """Tells the SMS guard that a code was entered."""
        if contact.kind == "phone" and self._parts.sms_guard.test_code(contact) is None:
            codes, now = found.resends + 1, self._parts.clock.now()
            await self._parts.sms_guard.confirm(transaction, contact.value, codes, now)

    def _tries(self, found: Registration, network: NetworkKey) -> Budget:
        """The tries of 24 hours: of the network that asked for the code, or of all others together."""
        own = found.network == network
        of = found.contact + network if own else found.contact
        return self._budget("tries", of, self._policy.daily_tries_per_contact)

    def next_retry(self, issued: Registration) -> Instant | None:
        """When the next code may be requested; after the last one of a cycle, when the cycle ends."""
        return issued.lapses_at if issued.resends >= self._policy.max_resends else issued.retry_at

    def sms_text(self, issued: Issued) -> str:
        """The text of the SMS with the code."""
        return self._parts.sms_texts[issued.asker.language].replace("{code}", issued.code)

    def _mail(self, contact: Contact, code: str, language: str) -> Mail:
        values = {"code": code, "minutes": str(-(-self._policy.code_ttl // MINUTE))}
        good_until = after(self._parts.clock.now(), self._policy.code_ttl)
        return self._parts.mail_templates.write("code", language, contact.value, values, good_until)

    def _budgets(self, found: Registration, contact: Contact, address: str) -> tuple[Budget, ...]:
        budgets = [self._budget("codes", found.contact, self._policy.daily_codes_per_contact)]
        if self._policy.bounded and address:
            of = client_key(address)
            budgets.append(self._budget("address", of, self._policy.daily_codes_per_address))
        if contact.kind == "email":
            budgets += mail_budgets(self._parts.pepper, found.contact)
        if self._policy.bounded and contact.kind == "phone":
            of = country_prefix(contact.value)
            budgets.append(self._budget("prefix", of, self._policy.daily_codes_per_prefix))
        return tuple(budgets)

    def _budget(self, scope: str, of: str | bytes, most: int) -> Budget:
        return Budget(self._parts.pepper.budget_key(scope, of), most, DAY)
