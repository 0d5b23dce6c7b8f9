"""Sign-in by a one-time code, which is sent to a verified address or phone number of the account, of whatever door.

    ask     → remembered, and answered at once
    run     → a code by mail or SMS, where the contact is somebody's
    verify  → the code is used up, and signs in

The answer to `ask` is given before the contact is looked up: it depends on the clock and the client alone. What waits is bounded
in number, and the codes by the budgets of the contact, the client and the SMS guard.

A code has limits of its own and never waits for the counter of wrong passwords, so it opens an account whose password is closed
to strangers; a wrong one counts there. A second factor is still asked for.
"""

import logging
from collections.abc import Mapping

import msgspec
import trio

from regserver.domain.account import Account, name_key
from regserver.domain.code import read_code
from regserver.domain.contact import Contact
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.outcome import BadCaptcha, BadCode, NotApproved, SecondFactorRequired, TooManyRequests
from regserver.ports.captcha import Captcha, CaptchaAnswer, is_passed
from regserver.ports.sms import Sms, SmsFault
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker
from regserver.service.code_issue import CodePolicy, IssuedCode, SignInCodeParts, SignInCodes
from regserver.service.guess_guard import Attempt, GuessGuard
from regserver.service.guess_target import GuessTarget, target_name
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.sms_guard import SmsHeld

log = logging.getLogger("regserver.code")

MOST_WISHES = 1000
"""Requests for a code that wait at once; further ones are refused for a second."""
SENDERS = 8
"""How many of them are served at once: an SMS service that is slow for one number does not hold up the others."""


class CodeSignInParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with. sms_texts: language → the SMS with {code} in it. captcha: None demands none."""

    store: Store
    identity: IdentityService
    guard: GuessGuard
    codes: SignInCodeParts
    sms: Sms
    sms_texts: Mapping[str, str]
    captcha: Captcha | None = None


class CodeWish(msgspec.Struct, frozen=True):
    """Somebody asks for a code."""

    contact: Contact
    asker: Asker


class CodeSignIn:
    """The use cases of POST /login/code and POST /login/code/verify."""

    def __init__(self, parts: CodeSignInParts, policy: CodePolicy) -> None:
        self._parts = parts
        self._policy = policy
        self._codes = SignInCodes(parts.codes, policy)
        self._send, self._wishes = trio.open_memory_channel[CodeWish](MOST_WISHES)

    # --- asking for a code
    async def ask(self, wish: CodeWish, answer: CaptchaAnswer) -> Instant | BadCaptcha | TooManyRequests:
        """Remembers the wish; when the next code may be asked for. The refusals tell nothing about the contact. Raises StoreFault."""
        if not await is_passed(self._parts.captcha, answer):
            return BadCaptcha()
        until = await self._parts.store.write(lambda it: self._codes.admit(it, wish.asker))
        now = self._parts.codes.clock.now()
        if until is not None:
            return TooManyRequests(max(1, Duration(until - now).whole_seconds))
        try:
            self._send.send_nowait(wish)
        except trio.WouldBlock:
            return TooManyRequests(1)
        return after(now, self._policy.resend_after)

    async def run(self) -> None:
        """Serves wishes, for ever. Several may run at once."""
        async for wish in self._wishes:
            try:
                await self.serve(wish)
            except StoreFault as fault:
                log.warning("a code for signing in is not sent: %s", fault)

    async def serve(self, wish: CodeWish) -> bool:
        """Sends the code; False where nobody gets one. Raises StoreFault."""
        contact, guard = wish.contact, self._parts.codes.sms_guard
        issued = await self._parts.store.write(
            lambda transaction: self._codes.issue(transaction, contact, wish.asker)
        )
        match issued:
            case None:
                return False
            case SmsHeld():
                guard.tell_nowait(contact, issued, self._parts.codes.clock.now())
                return False
            case IssuedCode() if contact.kind == "phone":
                return await self._send_sms(wish, issued)
        return True

    async def _send_sms(self, wish: CodeWish, issued: IssuedCode) -> bool:
        guard = self._parts.codes.sms_guard
        if issued.is_test:
            guard.count("test", wish.contact)
            return True
        text = self._parts.sms_texts[wish.asker.language].replace("{code}", issued.digits)
        try:
            await self._parts.sms.send(wish.contact.value, text)
        except SmsFault as fault:
            log.error("a code for signing in was not sent to %s: %s", wish.contact.mask, fault)
            guard.count("failed", wish.contact)
            await self._parts.store.write(
                lambda transaction: self._codes.take_back(transaction, wish.contact, issued)
            )
            return False
        guard.count("sent", wish.contact)
        return True

    # --- the code
    async def verify(
        self, contact: Contact, code: int | str, asker: Asker
    ) -> SignedIn | SecondFactorRequired | NotApproved | BadCode:
        """Signs in with a code. BadCode: wrong, expired, used, or of a contact that is nobody's. Raises StoreFault."""
        guess = read_code(code, self._policy.code_digits)
        if guess is None:
            return BadCode()
        async with self._parts.guard.count(self._target(contact), asker) as attempt:
            outcome = await self._parts.store.write(
                lambda transaction: self._verify(transaction, attempt, contact, guess)
            )
        if not isinstance(outcome, BadCode) and contact.kind == "phone":
            self._parts.codes.sms_guard.count("entered", contact)
        return outcome

    def _target(self, contact: Contact) -> GuessTarget:
        """The contact's account; that of an address which is nobody's counts as at a sign-in with a password."""
        key = self._parts.codes.pepper.contact_key(contact)

        async def find(transaction: Transaction) -> Account | None:
            return await transaction.contacts.owner(key)

        return target_name(name_key(contact.value), find)

    async def _verify(
        self, transaction: Transaction, attempt: Attempt, contact: Contact, guess: str
    ) -> SignedIn | SecondFactorRequired | NotApproved | BadCode:
        """One unit, with the account's lock: what ends its codes meanwhile comes before or after the whole of it."""
        taken = await self._codes.take_try(transaction, contact, attempt.asker.address)
        if taken is None:
            attempt.waive()  # nothing was compared, so nothing was learned
            return BadCode()
        found, tries = taken
        is_right = self._codes.is_right(found, guess)  # also of nobody's, so that both take the same time
        if found.account_id is None or not is_right:
            return BadCode()
        await self._codes.use(transaction, contact, found, tries)
        identity = self._parts.identity
        refusal = await identity.ask_factor(transaction, found.account_id, "sign_in")
        if refusal is not None:
            attempt.waive()  # wrong codes go on counting: a right one of one factor alone does not reset them
            return refusal
        await attempt.succeed(transaction, found.account_id)
        return await identity.issue(transaction, found.account_id, attempt.asker)
