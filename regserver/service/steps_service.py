"""The registration by steps up to the chosen name: one method and one transaction for each step.

    first_step → verify ──────┬─► set_username → (steps_account_service) register
    create_identity ──────────┘                                        beside them: state, resend

`domain.steps_machine.TRANSITIONS` has the states; the policy is here. A code is stored before it is sent, since a fast user
could otherwise answer before it is stored. If the SMS provider refuses, the code is taken back. A mail goes into the outbox
in the same transaction and is never refused.
"""

import logging

import msgspec

from regserver.domain import steps_machine as machine
from regserver.domain.account import name_key
from regserver.domain.contact import Contact, Pepper
from regserver.domain.instant import SECOND, Instant, after
from regserver.domain.outcome import InvitationRequired, RegistrationClosed, TooManyRequests
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, matches, new_token
from regserver.domain.steps_machine import TRANSITIONS, Registration, Step, StepRefusal
from regserver.ports.captcha import CaptchaAnswer, CaptchaType, is_passed
from regserver.ports.sms import SmsFault
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker
from regserver.service.guess_target import target_key
from regserver.service.identity_service import SignedIn
from regserver.service.registration_lookup import Proof, RegistrationLookup
from regserver.service.sign_up_gate import Newcomer, Refused, invitation_hash
from regserver.service.steps_code import HeldCode, Issued, StepCodes
from regserver.service.steps_policy import StepsParts, StepsPolicy

log = logging.getLogger("regserver.steps")

FIRST_STEP: dict[str, Step] = {"phone": "firstStep", "email": "firstStepEmail", "identity": "createIdentity"}
VERIFY_STEP: dict[str, Step] = {"phone": "verify", "email": "verifyEmail"}
RESEND_STEP: dict[str, Step] = {"phone": "resendSmsCode", "email": "resendEmailCode"}


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """A registration after a step. retry_at: when the next code may be requested. token: only a new one.

    session: of the new account, after the last step, if it was wanted.
    """

    registration: Registration
    retry_at: Instant | None = None
    token: str | None = None
    session: SignedIn | None = None


class StepsService:
    """The steps from a contact to a reserved name."""

    def __init__(self, lookup: RegistrationLookup, parts: StepsParts, policy: StepsPolicy) -> None:
        self._lookup = lookup
        self._codes = StepCodes(parts, policy)
        self._parts = parts
        self._policy = policy

    async def state(self, contact: Contact, proof: Proof) -> StepResult | StepRefusal:
        """The contact's registration, as a client with this proof may see it."""

        async def work(transaction: Transaction) -> StepResult | StepRefusal:
            found = await self._lookup.find(transaction, contact)
            if isinstance(found, StepRefusal):
                return found
            return StepResult(registration=self._lookup.shown(found, proof))

        return await self._parts.store.look_up(work)

    # --- codes
    async def first_step(
        self,
        contact: Contact,
        captcha: str,
        kind: CaptchaType,
        asker: Asker,
        invitation: str | None = None,
    ) -> StepResult | StepRefusal:
        """Sends the first code, to clients that solved the captcha, and have an invitation where one is needed."""
        step, who = FIRST_STEP[contact.kind], self._newcomer(contact, invitation, asker.address)
        if refusal := await self._parts.gate.refusal(who):
            return worded(refusal, self._parts.clock.now())
        if not await is_passed(self._parts.captcha, CaptchaAnswer(captcha, kind, asker.address)):
            here = await self.state(contact, Proof(None, asker.address))
            if isinstance(here, StepRefusal):
                return here
            return machine.CaptchaFailed(state=here.registration.state)

        async def act(transaction: Transaction, found: Registration) -> Issued | StepRefusal | HeldCode:
            found = msgspec.structs.replace(found, invitation=who.invitation)
            return await self._codes.issue(transaction, found, contact, asker, TRANSITIONS[found.state][step])

        proof = Proof(None, asker.address)
        return await self._send(contact, await self._lookup.step(contact, step, proof, act))

    def _newcomer(self, contact: Contact, invitation: str | None, address: str) -> Newcomer:
        return newcomer(self._parts.pepper, contact, invitation_hash(invitation), address)

    async def resend(self, contact: Contact, asker: Asker) -> StepResult | StepRefusal:
        """Sends a new code in place of the last, within the policy's limits."""
        step = RESEND_STEP[contact.kind]

        async def act(transaction: Transaction, found: Registration) -> Issued | StepRefusal | HeldCode:
            now = self._parts.clock.now()
            if found.resends >= self._policy.max_resends:
                return machine.TooManyRetries(state=found.state, retry_at=found.lapses_at or now)
            if found.retry_at is not None and now < found.retry_at:
                return machine.TryLater(state=found.state, retry_at=found.retry_at)
            return await self._codes.issue(transaction, found, contact, asker, TRANSITIONS[found.state][step])

        proof = Proof(None, asker.address)
        return await self._send(contact, await self._lookup.step(contact, step, proof, act))

    async def _send(
        self, contact: Contact, issued: Issued | StepRefusal | HeldCode
    ) -> StepResult | StepRefusal:
        """Sends a code by SMS, after its commit. A mail is in the outbox already."""
        if isinstance(issued, StepRefusal):
            return issued
        if isinstance(issued, HeldCode):
            return self._held(contact, issued)
        if contact.kind == "phone" and not await self._is_sent(contact, issued):
            return machine.NotSent(state=issued.before.state)
        return StepResult(registration=issued.after, retry_at=self._codes.next_retry(issued.after))

    def _held(self, contact: Contact, code: HeldCode) -> StepRefusal:
        self._parts.sms_guard.tell_nowait(contact, code.held, self._parts.clock.now())
        if code.held.until is None:
            return machine.NotSent(state=code.state)
        return machine.TooManyRetries(state=code.state, retry_at=code.held.until)

    async def _is_sent(self, contact: Contact, issued: Issued) -> bool:
        guard = self._parts.sms_guard
        if issued.is_test:
            guard.count("test", contact)
            return True
        try:
            await self._parts.sms.send(contact.value, self._codes.sms_text(issued))
        except SmsFault as fault:
            log.error("a code was not sent to %s: %s", contact.mask, fault)
            guard.count("failed", contact)
            await self._parts.store.write(
                lambda transaction: self._codes.take_back(transaction, contact, issued)
            )
            return False
        guard.count("sent", contact)
        return True

    # --- proving the contact
    async def verify(
        self, contact: Contact, code: int | str, want_token: bool, address: str
    ) -> StepResult | StepRefusal:
        """Verifies a guess of a client at `address`. want_token: whether later steps shall require a token."""
        step = VERIFY_STEP[contact.kind]

        async def act(transaction: Transaction, found: Registration) -> StepResult | StepRefusal:
            if not await self._codes.compare(transaction, found, code, address):
                return machine.WrongCode(state=found.state)
            await self._codes.confirm(transaction, found, contact)
            network = self._parts.pepper.network_key(address)
            verified = msgspec.structs.replace(found, network=network)
            return await self._admit(transaction, verified, step, want_token)

        outcome = await self._lookup.step(contact, step, Proof(None, address), act)
        if isinstance(outcome, StepResult) and contact.kind == "phone":
            self._parts.sms_guard.count("entered", contact)
        return outcome

    async def create_identity(
        self, contact: Contact, secure_key: str, want_token: bool, asker: Asker, invitation: str | None = None
    ) -> StepResult | StepRefusal:
        """Verifies an identity on behalf of the identity service, which authenticates itself by its secure key."""
        expected = self._policy.identity_secure_key
        target = target_key("steps.identity_secure_key", asker)
        async with self._parts.guard.attempt(target, asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                wait = attempt.retry_after * SECOND
                return machine.TooManyGuesses(retry_at=after(self._parts.clock.now(), wait))
            if not expected or not matches(hash_secret(expected), secure_key):
                return machine.WrongKey()
            await attempt.succeed_alone()
        who = self._newcomer(contact, invitation, asker.address)
        if refusal := await self._parts.gate.refusal(who):
            return worded(refusal, self._parts.clock.now())

        async def act(transaction: Transaction, found: Registration) -> StepResult:
            found = msgspec.structs.replace(found, invitation=who.invitation)
            # The service asks on the person's behalf, from a network of its own: the person's is noted at the next step.
            return await self._admit(transaction, found, "createIdentity", want_token)

        return await self._lookup.step(contact, "createIdentity", Proof(), act)

    async def _admit(
        self, transaction: Transaction, found: Registration, step: Step, want_token: bool
    ) -> StepResult:
        """Stores the verified registration, with a new token if one is wanted. From here on the token guards it."""
        now = self._parts.clock.now()
        wanted = want_token or self._policy.require_token
        token = new_token("regr_", self._parts.randomness.bytes(TOKEN_BYTES)) if wanted else None
        admitted = msgspec.structs.replace(
            machine.begun_anew(found, TRANSITIONS[found.state][step], now),
            network=found.network,
            invitation=found.invitation,
            lapses_at=after(now, self._policy.verified_ttl),
            token=hash_secret(token) if token else None,
        )
        await transaction.registrations.save(admitted)
        return StepResult(registration=admitted, token=token)

    # --- the name
    async def set_username(self, contact: Contact, username: str, proof: Proof) -> StepResult | StepRefusal:
        """Reserves the name for claim_ttl. A second choice frees the first and keeps the userId."""

        async def act(transaction: Transaction, found: Registration) -> StepResult | StepRefusal:
            if not machine.is_steps_username(username):
                return machine.BadUserName(state=found.state)
            now, holder = self._parts.clock.now(), machine.name_holder(found)
            until = after(now, self._policy.claim_ttl)
            if not await transaction.names.claim(name_key(username), holder, until, now):
                return machine.NameTaken(state=found.state)
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

        return await self._lookup.step(contact, "setUsername", proof, act)

    async def _new_user_id(self, transaction: Transaction) -> str:
        while True:
            user_id = machine.new_user_id(self._policy.user_id_prefix, self._parts.randomness.below)
            taken = await transaction.registrations.by_user_id(user_id)
            if taken is None and await transaction.accounts.by_ledger_name(user_id) is None:
                return user_id


# --- the door's gate
def newcomer(pepper: Pepper, contact: Contact, invitation: SecretHash | None, address: str) -> Newcomer:
    """The person before the gate. The contact is verified by the time of the account; an identity is none that others have."""
    claim = None if contact.kind == "identity" else pepper.claim(contact, is_verified=True)
    return Newcomer(claim=claim, invitation=invitation, address=address)


def worded(refusal: Refused, now: Instant) -> StepRefusal:
    """A refusal of the gate in the words of this door."""
    match refusal:
        case RegistrationClosed():
            return machine.RegistrationsClosed()
        case InvitationRequired():
            return machine.NotInvited()
        case TooManyRequests(retry_after=seconds):
            return machine.TooManySignUps(retry_at=after(now, seconds * SECOND))
