"""Codes for signing in, within the transactions of `code_sign_in`: issuing within daily budgets, tries, and taking back.

Every budget of a contact is spent, and a record kept, whether or not the contact is somebody's: so nothing that a stranger can
see later differs. Only the SMS guard is not asked for a number to which nothing is sent.
"""

import hmac

import msgspec

from regserver.domain.account import Account
from regserver.domain.address import client_key
from regserver.domain.code import CODE_TRIES, new_code
from regserver.domain.contact import CodeMac, Contact, ContactKey, Pepper, contact_of_email, country_prefix
from regserver.domain.instant import DAY, MINUTE, SECOND, Duration, Instant, after
from regserver.domain.sign_in_code import SignInCode
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Lock, Transaction
from regserver.service.asker import Asker
from regserver.service.mail_cap import mail_budgets
from regserver.service.outbox import Outbox
from regserver.service.sms_guard import SmsGuard, SmsHeld

MAC_BYTES = 32


class CodePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings, which codes of the steps have too.

    daily_*: codes and guesses in 24 hours. bounded: whether the limits per address and country prefix apply.
    """

    code_digits: int = 6
    code_ttl: Duration = Duration(10 * MINUTE)
    resend_after: Duration = Duration(45 * SECOND)
    daily_tries_per_contact: int = 10
    daily_codes_per_contact: int = 10
    daily_codes_per_address: int = 100
    daily_codes_per_prefix: int = 5000
    bounded: bool = True


class SignInCodeParts(msgspec.Struct, frozen=True, kw_only=True):
    """What issuing and comparing work with."""

    clock: Clock
    randomness: Randomness
    pepper: Pepper
    outbox: Outbox
    mail_templates: MailTemplates
    sms_guard: SmsGuard


class IssuedCode(msgspec.Struct, frozen=True):
    """A stored code. before, after: the contact's record. digits: what is to be sent. budgets: counted for it.

    is_test: the code of a test number, which is not sent.
    """

    before: SignInCode | None
    after: SignInCode
    digits: str
    budgets: tuple[Budget, ...]
    is_test: bool

    def __repr__(self) -> str:
        return "IssuedCode(…)"


class SignInCodes:
    """See the module."""

    def __init__(self, parts: SignInCodeParts, policy: CodePolicy) -> None:
        self._parts = parts
        self._policy = policy

    # --- issuing
    async def admit(self, transaction: Transaction, asker: Asker) -> Instant | None:
        """Counts a request at its client; until when none is taken of it, or None."""
        if not self._policy.bounded or not asker.address:
            return None
        key = self._parts.pepper.budget_key("address", client_key(asker.address))
        budget = Budget(key, self._policy.daily_codes_per_address, DAY)
        return await transaction.budgets.spend([budget], self._parts.clock.now())

    async def issue(
        self, transaction: Transaction, contact: Contact, asker: Asker
    ) -> IssuedCode | SmsHeld | None:
        """Stores a new code in place of any other, and adds its mail. None where nothing is sent, SmsHeld where the guard refuses."""
        now, key = self._parts.clock.now(), self._parts.pepper.contact_key(contact)
        await transaction.lock(Lock.CONTACT, self._parts.pepper.lookup_key(contact))
        owner = await self._owner(transaction, key)
        before = await transaction.codes.find(key)
        if before is not None and now < before.retry_at:
            return None
        test_code, budgets = self._parts.sms_guard.test_code(contact), self._budgets(contact, key)
        if contact.kind == "phone" and owner is not None and test_code is None:
            budgets = (*budgets, *self._prefix_budgets(contact))
            refused = await self._parts.sms_guard.admit(transaction, contact.value, budgets, now)
        else:
            refused = await transaction.budgets.spend(budgets, now)
        if isinstance(refused, SmsHeld):
            if before is None:
                await transaction.codes.save(self._nobodys(key, asker))
            return refused
        if refused is not None:
            return None
        if owner is None:
            await transaction.codes.save(self._nobodys(key, asker))
            return None
        digits = test_code or new_code(self._policy.code_digits, self._parts.randomness.below)
        sent = before.sent if before is not None and before.account_id == owner.id else 0
        issued = msgspec.structs.replace(
            self._nobodys(key, asker),
            account_id=owner.id,
            mac=self._parts.pepper.sign_in_mac(key, owner.id, digits),
            sent=sent + 1,
        )
        await transaction.codes.save(issued)
        if contact.kind == "email":
            await self._mail(transaction, owner, contact, digits, asker)
        return IssuedCode(before, issued, digits, budgets, is_test=test_code is not None)

    async def take_back(self, transaction: Transaction, contact: Contact, issued: IssuedCode) -> None:
        """Undoes `issue`, unless another code was issued since, or this one ended: the SMS was not sent."""
        await transaction.lock(Lock.CONTACT, self._parts.pepper.lookup_key(contact))
        owner = await self._owner(transaction, issued.after.contact)
        current = await transaction.codes.find(issued.after.contact)
        if owner is None or current is None or current.mac != issued.after.mac:
            return
        mac, before = CodeMac(self._parts.randomness.bytes(MAC_BYTES)), issued.before
        nobodys = msgspec.structs.replace(issued.after, account_id=None, mac=mac, sent=0)
        await transaction.codes.save(nobodys if before is None else before)
        await transaction.budgets.give_back(issued.budgets)
        sent_at = Instant(issued.after.retry_at - self._policy.resend_after)
        await self._parts.sms_guard.take_back(transaction, contact.value, sent_at)

    async def _owner(self, transaction: Transaction, contact: ContactKey) -> Account | None:
        """Whose verified contact it is, with the account's lock, under which it ends with the account."""
        found = await transaction.contacts.owner(contact)
        if found is None:
            return None
        await transaction.lock(Lock.ACCOUNT, found.id)
        owner = await transaction.contacts.owner(contact)
        return owner if owner is not None and owner.id == found.id else None

    def _nobodys(self, contact: ContactKey, asker: Asker) -> SignInCode:
        """A record whose MAC no code has."""
        now = self._parts.clock.now()
        return SignInCode(
            contact=contact,
            account_id=None,
            mac=CodeMac(self._parts.randomness.bytes(MAC_BYTES)),
            network=self._parts.pepper.network_key(asker.address),
            own_tries=CODE_TRIES,
            other_tries=CODE_TRIES,
            sent=0,
            retry_at=after(now, self._policy.resend_after),
            expires_at=after(now, self._policy.code_ttl),
        )

    async def _mail(
        self, transaction: Transaction, owner: Account, contact: Contact, digits: str, asker: Asker
    ) -> None:
        """To the address as its owner writes it; the steps store none."""
        stored = owner.verified_email
        to = stored if stored is not None and contact_of_email(stored) == contact else contact.value
        minutes = -(-self._policy.code_ttl // MINUTE)
        values = {"username": owner.username, "code": digits, "minutes": str(minutes)}
        good_until = after(self._parts.clock.now(), self._policy.code_ttl)
        mail = self._parts.mail_templates.write("sign_in_code", asker.language, to, values, good_until)
        await self._parts.outbox.enqueue(transaction, mail)

    def _budgets(self, contact: Contact, key: ContactKey) -> tuple[Budget, ...]:
        codes = self._budget("sign-in codes", key, self._policy.daily_codes_per_contact)
        return (codes, *(mail_budgets(self._parts.pepper, key) if contact.kind == "email" else ()))

    def _prefix_budgets(self, contact: Contact) -> tuple[Budget, ...]:
        of, most = country_prefix(contact.value), self._policy.daily_codes_per_prefix
        return (self._budget("prefix", of, most),) if self._policy.bounded else ()

    def _budget(self, scope: str, of: str | bytes, most: int) -> Budget:
        return Budget(self._parts.pepper.budget_key(scope, of), most, DAY)

    # --- comparing
    async def take_try(
        self, transaction: Transaction, contact: Contact, address: str
    ) -> tuple[SignInCode, Budget] | None:
        """The code that a guess may be compared with, after the try was counted; None where there is none, or no try left.

        address: the client's. Budget: the tries of 24 hours that it was counted among.
        """
        now, key = self._parts.clock.now(), self._parts.pepper.contact_key(contact)
        await transaction.lock(Lock.CONTACT, self._parts.pepper.lookup_key(contact))
        owner = await self._owner(transaction, key)
        found = await transaction.codes.find(key)
        if found is None or now >= found.expires_at:
            return None
        if found.account_id is not None and (owner is None or owner.id != found.account_id):
            return None
        network = self._parts.pepper.network_key(address)
        counted = found.one_try_less(network)
        of = key + network if network == found.network else key
        tries = self._budget("sign-in tries", of, self._policy.daily_tries_per_contact)
        if counted is None or await transaction.budgets.spend([tries], now) is not None:
            return None
        await transaction.codes.save(counted)
        return counted, tries

    def is_right(self, code: SignInCode, guess: str) -> bool:
        """Compares the digits of a guess."""
        expected = self._parts.pepper.sign_in_mac(code.contact, code.account_id or 0, guess)
        return hmac.compare_digest(code.mac, expected)

    async def use(self, transaction: Transaction, contact: Contact, code: SignInCode, tries: Budget) -> None:
        """The code was right: it is good no more, and the tries before it count no more."""
        await transaction.codes.remove(code.contact)
        await transaction.budgets.clear(tries.key)
        if contact.kind == "phone" and self._parts.sms_guard.test_code(contact) is None:
            now = self._parts.clock.now()
            await self._parts.sms_guard.confirm(transaction, contact.value, code.sent, now)
