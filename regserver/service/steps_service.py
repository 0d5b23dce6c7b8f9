"""The registration by steps: one method per step, each one transaction that looks, decides and writes.

    first_step → verify → set_username → register        and beside them state, resend, create_identity

What a step may do is read off `domain.steps_machine.TRANSITIONS`; here are the policy and the order of things. A code is
written before it is sent: the other way round a client could be quicker than we. If the SMS provider refuses, what was
written is taken back. Mail goes into the outbox in the same transaction and is never refused.
"""

import hashlib
import hmac
import logging

import msgspec

from regserver.domain.account import NewAccount, name_key
from regserver.domain.code import read_code
from regserver.domain.contact import Contact, Pepper
from regserver.domain.instant import Instant, after
from regserver.domain.journal import LedgerAccount
from regserver.domain.outcome import UsernameTaken
from regserver.domain.secret import hash_secret
from regserver.domain.steps_machine import (
    REGISTRATION_TOKEN_BYTES,
    TRANSITIONS,
    BadPublicKey,
    BadUserName,
    CaptchaFailed,
    LedgerUnavailable,
    NameTaken,
    NotSent,
    OtherName,
    OtherUserId,
    Registration,
    Step,
    StepRefusal,
    TooManyRetries,
    TryLater,
    WrongCode,
    WrongKey,
    is_steps_username,
    may_be_compared,
    new_registration_token,
    new_user_id,
)
from regserver.ports.captcha import Captcha, CaptchaType
from regserver.ports.clock import Clock
from regserver.ports.ledger import Ledger, LedgerFault, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms, SmsFault
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.account_service import add_account
from regserver.service.registration_lookup import RegistrationLookup, matches
from regserver.service.steps_code import Issued, StepCodes, StepsPolicy

log = logging.getLogger("regserver.steps")

FIRST_STEP: dict[str, Step] = {"phone": "firstStep", "email": "firstStepEmail", "identity": "createIdentity"}
VERIFY_STEP: dict[str, Step] = {"phone": "verify", "email": "verifyEmail"}
RESEND_STEP: dict[str, Step] = {"phone": "resendSmsCode", "email": "resendEmailCode"}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants to be written. owner and active: the keys as PUB_K1_…, None where one is no key."""

    username: str
    user_id: str
    owner: str | None
    active: str | None


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """Where a registration stands after a step. retry_at: when the next code may be asked for. token: only when new."""

    registration: Registration
    retry_at: Instant | None = None
    token: str | None = None


class StepsService:
    """captcha guards the first step; lookup looks; codes says what is sent; ledger takes the finished account."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        pepper: Pepper,
        lookup: RegistrationLookup,
        codes: StepCodes,
        sms: Sms,
        captcha: Captcha,
        ledger: Ledger,
        policy: StepsPolicy,
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._pepper = pepper
        self._lookup = lookup
        self._codes = codes
        self._sms = sms
        self._captcha = captcha
        self._ledger = ledger
        self._policy = policy

    # --- looking
    async def state(self, contact: Contact, token: str | None) -> StepResult | StepRefusal:
        """Where the contact stands. What was chosen is shown only to the holder of the token, if there is one."""

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.find(transaction, contact)
            if isinstance(found, StepRefusal) or found.token is None or matches(found.token, token):
                return found if isinstance(found, StepRefusal) else StepResult(registration=found)
            return StepResult(registration=msgspec.structs.replace(found, username=None, user_id=None))

        return await self._store.read(work)

    # --- codes
    async def first_step(
        self, contact: Contact, captcha: str, kind: CaptchaType, address: str
    ) -> StepResult | StepRefusal:
        """Sends the first code, to those who are human."""
        step = FIRST_STEP[contact.kind]
        if not await self._captcha.check(captcha, kind, address):
            status = await self.state(contact, None)
            return (
                status if isinstance(status, StepRefusal) else CaptchaFailed(state=status.registration.state)
            )

        async def work(transaction: Transaction) -> Issued | StepRefusal:
            found = await self._lookup.at(transaction, contact, step)
            if isinstance(found, StepRefusal):
                return found
            return await self._codes.issue(
                transaction, found, contact, address, TRANSITIONS[found.state][step]
            )

        return await self._deliver(contact, await self._store.write(work))

    async def resend(self, contact: Contact, address: str) -> StepResult | StepRefusal:
        """Sends a new code in place of the last, not too soon and not too often."""
        step = RESEND_STEP[contact.kind]

        async def work(transaction: Transaction) -> Issued | StepRefusal:
            found = await self._lookup.at(transaction, contact, step)
            if isinstance(found, StepRefusal):
                return found
            now = self._clock.now()
            if found.resends >= self._policy.max_resends:
                return TooManyRetries(state=found.state, retry_at=found.lapses_at or now)
            if found.retry_at is not None and now < found.retry_at:
                return TryLater(state=found.state, retry_at=found.retry_at)
            return await self._codes.issue(
                transaction, found, contact, address, TRANSITIONS[found.state][step]
            )

        return await self._deliver(contact, await self._store.write(work))

    async def _deliver(self, contact: Contact, issued: Issued | StepRefusal) -> StepResult | StepRefusal:
        if isinstance(issued, StepRefusal):
            return issued
        if contact.kind == "phone":
            try:
                await self._sms.send(contact.value, self._codes.text(issued.code))
            except SmsFault as fault:
                log.error("a code was not sent to %s: %s", contact.mask, fault)
                await self._store.write(lambda transaction: self._codes.take_back(transaction, issued))
                return NotSent(state=issued.before.state)
        return StepResult(registration=issued.after, retry_at=self._codes.next_retry(issued.after))

    async def verify(self, contact: Contact, code: int | str, want_token: bool) -> StepResult | StepRefusal:
        """Holds a guess against the code. It is counted in the same transaction, before it is looked at."""
        step = VERIFY_STEP[contact.kind]

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.at(transaction, contact, step)
            if isinstance(found, StepRefusal):
                return found
            now = self._clock.now()
            if not may_be_compared(found, now) or not await self._codes.spend_try(transaction, found, now):
                return WrongCode(state=found.state)
            expected = self._pepper.code_mac(found.contact, read_code(code) or "")
            if found.code is None or not hmac.compare_digest(found.code, expected):
                return WrongCode(state=found.state)
            return await self._admit(transaction, found, step, want_token)

        return await self._store.write(work)

    async def create_identity(
        self, contact: Contact, secure_key: str, want_token: bool
    ) -> StepResult | StepRefusal:
        """Takes the identity service's word, if it is the identity service."""
        if not self._policy.identity_secure_key or not _same(self._policy.identity_secure_key, secure_key):
            return WrongKey()

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.at(transaction, contact, "createIdentity")
            if isinstance(found, StepRefusal):
                return found
            return await self._admit(transaction, found, "createIdentity", want_token)

        return await self._store.write(work)

    async def _admit(
        self, transaction: Transaction, found: Registration, step: Step, want_token: bool
    ) -> StepResult:
        """The contact is proven: what is left can be done by whoever holds the token, if there is one."""
        now = self._clock.now()
        wanted = want_token or self._policy.require_token
        token = new_registration_token(self._randomness.bytes(REGISTRATION_TOKEN_BYTES)) if wanted else None
        admitted = Registration(
            contact=found.contact,
            lookup=found.lookup,
            kind=found.kind,
            mask=found.mask,
            provider=found.provider,
            state=TRANSITIONS[found.state][step],
            lapses_at=after(now, self._policy.verified_ttl),
            token=hash_secret(token) if token else None,
            updated_at=now,
        )
        await transaction.registrations.save(admitted)
        return StepResult(registration=admitted, token=token)

    # --- the name
    async def set_username(
        self, contact: Contact, username: str, token: str | None
    ) -> StepResult | StepRefusal:
        """Reserves the name for a while. A second choice frees the first and keeps the userId."""

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.held(transaction, contact, "setUsername", token)
            if isinstance(found, StepRefusal):
                return found
            if not is_steps_username(username):
                return BadUserName(state=found.state)
            now, holder = self._clock.now(), holder_of(found)
            until = after(now, self._policy.claim_ttl)
            if not await transaction.names.claim(name_key(username), holder, until, now):
                return NameTaken(state=found.state)
            if found.username is not None and found.username != username:
                await transaction.names.release(name_key(found.username), holder)
            chosen = msgspec.structs.replace(
                found,
                state=TRANSITIONS[found.state]["setUsername"],
                username=username,
                user_id=found.user_id or await self._new_user_id(transaction),
                updated_at=now,
            )
            await transaction.registrations.save(chosen)
            return StepResult(registration=chosen)

        return await self._store.write(work)

    async def _new_user_id(self, transaction: Transaction) -> str:
        while True:
            user_id = new_user_id(self._policy.user_id_prefix, self._randomness.below)
            taken = await transaction.registrations.by_user_id(user_id)
            if taken is None and await transaction.accounts.by_ledger_name(user_id) is None:
                return user_id

    # --- the account
    async def register(
        self, contact: Contact, proposal: Proposal, token: str | None
    ) -> StepResult | StepRefusal:
        """Writes the account. With an outer ledger in three parts, each of which may be repeated after a crash:
        hold the registration, see to the account out there, finish here."""
        settled = Settled("")
        if self._ledger.outer:
            held = await self._store.write(
                lambda transaction: self._hold(transaction, contact, proposal, token)
            )
            if isinstance(held, StepRefusal):
                return held
            outcome = await self._settle(contact, held)
            if isinstance(outcome, StepRefusal):
                return outcome
            settled = outcome

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.held(transaction, contact, "toBlockChain", token)
            if isinstance(found, StepRefusal):
                return found
            account = _agreed(found, proposal)
            if isinstance(account, StepRefusal):
                return account
            return await self._finish(transaction, found, account, settled.reference)

        return await self._store.write(work)

    async def _hold(
        self, transaction: Transaction, contact: Contact, proposal: Proposal, token: str | None
    ) -> LedgerAccount | StepRefusal:
        """From here on the account may exist on the outer ledger, so the registration no longer lapses."""
        found = await self._lookup.held(transaction, contact, "toBlockChain", token)
        if isinstance(found, StepRefusal):
            return found
        account = _agreed(found, proposal)
        if isinstance(account, StepRefusal):
            return account
        now = self._clock.now()
        until = after(now, self._policy.claim_ttl)
        if not await transaction.names.claim(name_key(account.username), holder_of(found), until, now):
            return NameTaken(state=found.state)
        await transaction.registrations.save(msgspec.structs.replace(found, lapses_at=None, updated_at=now))
        return account

    async def _settle(self, contact: Contact, account: LedgerAccount) -> Settled | StepRefusal:
        try:
            outcome = await self._ledger.settle(account)
        except LedgerFault as fault:
            log.error("the ledger did not take %s: %s", account.user_id, fault)
            return LedgerUnavailable(state="toBlockChain")
        if isinstance(outcome, OtherKeysWritten):
            return BadPublicKey(state="toBlockChain")
        if isinstance(outcome, NameOccupied):
            await self._store.write(lambda transaction: self._forget_user_id(transaction, contact))
            return OtherUserId(state="toBlockChain")
        return outcome

    async def _forget_user_id(self, transaction: Transaction, contact: Contact) -> None:
        """Another has it on the outer ledger: the next setUsername gives a new one."""
        found = await self._lookup.hold(transaction, contact)
        if isinstance(found, Registration) and found.state == "toBlockChain":
            await transaction.registrations.save(msgspec.structs.replace(found, user_id=None))

    async def _finish(
        self, transaction: Transaction, found: Registration, account: LedgerAccount, reference: str
    ) -> StepResult | StepRefusal:
        now = self._clock.now()
        new = NewAccount(
            username=account.username, origin="steps", ledger_name=account.user_id, created_at=now
        )
        added = await add_account(transaction, new, reserved_by=holder_of(found))
        if isinstance(added, UsernameTaken):
            return NameTaken(state=found.state)
        await self._ledger.record(transaction, account, reference, now)
        registered = msgspec.structs.replace(
            found,
            state=TRANSITIONS[found.state]["toBlockChain"],
            lapses_at=None,
            token=None,
            updated_at=now,
        )
        await transaction.registrations.save(registered)
        return StepResult(registration=registered)


def holder_of(registration: Registration) -> str:
    """Who holds the claim of this registration's name."""
    return f"steps:{registration.contact.hex()}"


def _agreed(found: Registration, proposal: Proposal) -> LedgerAccount | StepRefusal:
    """Whether the client's proposal is what was agreed on; the checks come in the order of their codes."""
    if found.username is None or proposal.username != found.username:
        return OtherName(state=found.state)
    if found.user_id is None or proposal.user_id != found.user_id:
        return OtherUserId(state=found.state)
    if proposal.owner is None or proposal.active is None:
        return BadPublicKey(state=found.state)
    return LedgerAccount(
        user_id=found.user_id, username=found.username, owner_key=proposal.owner, active_key=proposal.active
    )


def _same(expected: str, given: str) -> bool:
    """In constant time, whatever the lengths."""
    return hmac.compare_digest(
        hashlib.sha256(expected.encode()).digest(),
        hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest(),
    )
