"""The last step of the registration by steps, which writes the account.

    embedded ledger    _finish  writes journal and account in one transaction, and spends the invitation
    outer ledger       _hold    stops the registration from lapsing, since its account may soon exist on the ledger; spends the
                                invitation, which could otherwise be gone once the account exists there
                       _settle  creates the account on the outer ledger, over the network, outside any transaction
                       _finish  writes journal and account here

Each part may be repeated after a crash; repeated calls of `settle` create one account.
"""

import logging

import msgspec

from regserver.domain import steps_machine as machine
from regserver.domain.account import AccountId, NewAccount, name_key
from regserver.domain.contact import Contact, ContactClaim
from regserver.domain.instant import after
from regserver.domain.journal import JournalHead, LedgerAccount
from regserver.domain.outcome import (
    EmailTaken,
    InvitationRequired,
    RegistrationClosed,
    TooManyRequests,
    UsernameTaken,
)
from regserver.domain.steps_machine import TRANSITIONS, Registration, StepRefusal, name_holder
from regserver.ports.ledger import LedgerFault, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.registration_lookup import Proof, RegistrationLookup
from regserver.service.sign_up_gate import GateEntry, Refused, admit, invitation_hash
from regserver.service.steps_policy import StepsParts, StepsPolicy
from regserver.service.steps_service import StepResult, newcomer, worded

log = logging.getLogger("regserver.steps")


class Proposal(msgspec.Struct, frozen=True):
    """The account that a client requests. owner, active: the keys as PUB_K1_…; None for any other text.

    invitation: in place of the registration's, which may have been used up meanwhile. language: of mails to the person.
    """

    username: str
    user_id: str
    owner: str | None
    active: str | None
    invitation: str | None = None
    language: str = "en"


class _Finish(msgspec.Struct, frozen=True):
    """What the last transaction writes. reference: of the outer ledger. asker: who gets a session too. entry: at the gate."""

    proposal: Proposal
    reference: str
    asker: Asker | None
    entry: GateEntry


class StepsAccountService:
    """Writes the account of a registration whose name is chosen."""

    def __init__(self, lookup: RegistrationLookup, parts: StepsParts, policy: StepsPolicy) -> None:
        self._lookup = lookup
        self._parts = parts
        self._policy = policy

    async def register(
        self, contact: Contact, proposal: Proposal, proof: Proof, asker: Asker | None = None
    ) -> StepResult | StepRefusal:
        """Writes the account, if it matches the registration. May be repeated after any refusal or crash.

        asker: who shall have a signed-in session of the account; None for nobody.
        """
        if not self._parts.gate.policy.accepts:
            return machine.RegistrationsClosed()
        entry = await self._enter(contact, proposal, proof)
        if isinstance(entry, StepRefusal):
            return entry
        settled: Settled | StepRefusal = Settled("")
        if self._parts.ledger.outer:
            held = await self._hold(contact, proposal, proof, entry)
            settled = held if isinstance(held, StepRefusal) else await self._settle(contact, held)
        if isinstance(settled, StepRefusal):
            return settled
        finished = _Finish(proposal, settled.reference, asker, entry)
        return await self._finish(contact, proof, finished)

    async def _enter(self, contact: Contact, proposal: Proposal, proof: Proof) -> GateEntry | StepRefusal:
        """What the account needs at the gate; a refusal for an invitation that was given now and is not good."""
        gate, invitation = self._parts.gate, invitation_hash(proposal.invitation)
        who = newcomer(self._parts.pepper, contact, invitation, proof.address)
        if invitation is not None:
            if refusal := await gate.refusal(who):
                return worded(refusal, self._parts.clock.now())
        elif gate.policy.asks:
            found = await self._parts.store.read(lambda transaction: self._lookup.find(transaction, contact))
            if isinstance(found, Registration):
                who = msgspec.structs.replace(who, invitation=found.invitation)
        return await gate.enter(who, proposal.username, "steps", proposal.language)

    async def _hold(
        self, contact: Contact, proposal: Proposal, proof: Proof, entry: GateEntry
    ) -> LedgerAccount | StepRefusal:
        async def act(transaction: Transaction, found: Registration) -> LedgerAccount | StepRefusal:
            account = _agreed(found, proposal)
            if isinstance(account, StepRefusal):
                return account
            now = self._parts.clock.now()
            until = after(now, self._policy.claim_ttl)
            if not await transaction.names.claim(name_key(account.username), name_holder(found), until, now):
                return machine.NameTaken(state=found.state)
            admitted_at = found.admitted_at
            if admitted_at is None and entry.invitation is not None:
                refusal = await admit(transaction, entry, self._claim(contact), now)
                if isinstance(refusal, Refused):
                    return worded(refusal, now)
                admitted_at = now
            await transaction.registrations.save(
                msgspec.structs.replace(found, lapses_at=None, admitted_at=admitted_at, updated_at=now)
            )
            return account

        return await self._lookup.step(contact, "toBlockChain", proof, act)

    async def _settle(self, contact: Contact, account: LedgerAccount) -> Settled | StepRefusal:
        try:
            outcome = await self._parts.ledger.settle(account)
        except LedgerFault as fault:
            log.error("the ledger did not take %s: %s", account.user_id, fault)
            return machine.LedgerUnavailable(state="toBlockChain")
        match outcome:
            case OtherKeysWritten():
                return machine.BadPublicKey(state="toBlockChain")
            case NameOccupied():
                await self._parts.store.write(lambda transaction: self._forget_user_id(transaction, contact))
                return machine.OtherUserId(state="toBlockChain")
            case Settled():
                return outcome

    async def _forget_user_id(self, transaction: Transaction, contact: Contact) -> None:
        """Removes the userId, which is taken on the outer ledger: the next setUsername draws a new one."""
        found = await self._lookup.hold(transaction, contact)
        if isinstance(found, Registration) and found.state == "toBlockChain":
            await transaction.registrations.save(msgspec.structs.replace(found, user_id=None))

    async def _finish(self, contact: Contact, proof: Proof, wanted: _Finish) -> StepResult | StepRefusal:
        head: JournalHead | None = None

        async def act(transaction: Transaction, found: Registration) -> StepResult | StepRefusal:
            nonlocal head
            account = _agreed(found, wanted.proposal)
            if isinstance(account, StepRefusal):
                return account
            now = self._parts.clock.now()
            # Where an outer ledger was written to, the invitation was spent before.
            entry = wanted.entry if found.admitted_at is None else None
            added = await self._add(transaction, contact, account, found, entry)
            if isinstance(added, StepRefusal):
                return added
            head = await self._parts.ledger.record(transaction, account, wanted.reference, now)
            registered = msgspec.structs.replace(
                found,
                state=TRANSITIONS[found.state]["toBlockChain"],
                lapses_at=None,
                token=None,
                invitation=None,
                updated_at=now,
            )
            await transaction.registrations.save(registered)
            asker, identity = wanted.asker, self._parts.identity
            session = None if asker is None else await identity.issue(transaction, added, asker)
            return StepResult(registration=registered, session=session)

        outcome = await self._lookup.step(contact, "toBlockChain", proof, act)
        if head is not None and isinstance(outcome, StepResult):
            # Elsewhere than in the database it proves later that the journal was not rewritten.
            log.info("ledger entry %d; last hash %s", head.number, head.hash.hex())
        return outcome

    def _claim(self, contact: Contact) -> ContactClaim | None:
        """A phone number or address, which is verified, since its code was entered."""
        return None if contact.kind == "identity" else self._parts.pepper.claim(contact, is_verified=True)

    async def _add(
        self,
        transaction: Transaction,
        contact: Contact,
        account: LedgerAccount,
        found: Registration,
        entry: GateEntry | None,
    ) -> AccountId | StepRefusal:
        claim = self._claim(contact)
        if claim is not None:
            await transaction.lock(Lock.EMAIL, claim.key)
        new = NewAccount(
            username=account.username,
            origin="steps",
            ledger_name=account.user_id,
            created_at=self._parts.clock.now(),
            contact=claim,
        )
        match await add_account(transaction, new, name_holder(found), entry):
            case UsernameTaken():
                return machine.NameTaken(state=found.state)
            case EmailTaken():  # by another door, since the registration was found
                return machine.AlreadyRegistered(state="registered")
            case RegistrationClosed() | InvitationRequired() | TooManyRequests() as refusal:
                return worded(refusal, new.created_at)
            case added:
                return added


def _agreed(found: Registration, proposal: Proposal) -> LedgerAccount | StepRefusal:
    """The account to write, if the proposal matches the registration. The checks come in the order of their codes."""
    if found.username is None or proposal.username != found.username:
        return machine.OtherName(state=found.state)
    if found.user_id is None or proposal.user_id != found.user_id:
        return machine.OtherUserId(state=found.state)
    if proposal.owner is None or proposal.active is None:
        return machine.BadPublicKey(state=found.state)
    return LedgerAccount(
        user_id=found.user_id, username=found.username, owner_key=proposal.owner, active_key=proposal.active
    )
