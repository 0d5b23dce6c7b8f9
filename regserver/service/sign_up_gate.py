"""The gate of one door: who gets an account, by `regserver.domain.sign_up_policy`.

    refusal  at the first step of a door: whether the sign-up could end well, by the operator's hook too. Nothing is spent
    enter    at the last step: what is written with the account
    admit    in the unit of work that writes it, called by `add_account`: spends the invitation, and says whether the account waits

One refusal stands for every invitation that is not good. What a stranger can make the server keep is bounded: accounts
that wait are counted by day, for all and for each network, and those that wait too long are removed (ErasureService).
"""

import math
from collections.abc import Callable

import msgspec

from regserver.domain.account import AccountOrigin
from regserver.domain.address import client_key
from regserver.domain.audit import AuditNote
from regserver.domain.contact import ContactClaim, Pepper
from regserver.domain.instant import DAY, SECOND, Instant
from regserver.domain.outcome import InvitationRequired, RegistrationClosed, TooManyRequests
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.sign_up_policy import Door, DoorPolicy, SignUpVerdict, WaitReason
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.sign_up_hook import SignUpHook, SignUpQuestion
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.approval import ApprovalDesk, Papers

Refused = RegistrationClosed | InvitationRequired | TooManyRequests


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs up. claim: of the contact that the account will have. address: the client's. username: "" if not chosen yet."""

    claim: ContactClaim | None
    invitation: SecretHash | None
    address: str
    username: str = ""


class GateParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate works with. desk: of the approvals. take: counts a tried invitation of a client; None, or the seconds to wait.

    hook: is asked about everybody who could get an account at this door.

    daily_waiting, daily_waiting_per_address: accounts that may begin to wait in 24 hours; the second None for no bound.
    """

    store: Store
    clock: Clock
    pepper: Pepper
    desk: ApprovalDesk
    take: Callable[[str], float | None]
    daily_waiting: int
    daily_waiting_per_address: int | None
    hook: tuple[SignUpHook, Door] | None = None


class GateEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is written with an account at a gate. papers: of one that waits for approval. budgets: of those that wait."""

    policy: DoorPolicy
    invitation: SecretHash | None = None
    papers: Papers | None = None
    budgets: tuple[Budget, ...] = ()


class SignUpGate:
    """parts: None for a door that is open or closed."""

    def __init__(self, policy: DoorPolicy, parts: GateParts | None = None) -> None:
        self.policy = policy
        self._parts = parts

    def become(self, other: "SignUpGate") -> None:
        """Takes another policy, at a reload. A sign-up that has entered keeps the one it entered by."""
        vars(self).update(vars(other))  # whole, so that no field is forgotten

    async def refusal(self, who: Newcomer) -> Refused | None:
        """Why the sign-up would be refused; None where it could end well, and the operator's hook allows it."""
        if refused := await self._policy_refusal(who):
            return refused
        if self._parts is None or self._parts.hook is None:
            return None
        hook, door = self._parts.hook
        contact = None if who.claim is None else who.claim.contact
        question = SignUpQuestion(door, who.username, contact, who.invitation is not None)
        return None if await hook.allows(question) else RegistrationClosed()

    async def _policy_refusal(self, who: Newcomer) -> Refused | None:
        match self.policy.admission(who.claim, invited=who.invitation is not None):
            case SignUpVerdict.CLOSED:
                return RegistrationClosed()
            case SignUpVerdict.INVITED if self._parts is not None and who.invitation is not None:
                return await self._compare(self._parts, who.invitation, who)
            case SignUpVerdict.REFUSED | SignUpVerdict.INVITED:
                return InvitationRequired()
            case SignUpVerdict.ADMITTED | SignUpVerdict.TO_APPROVE | SignUpVerdict.TO_VERIFY:
                return None

    async def _compare(
        self, parts: GateParts, invitation: SecretHash, who: Newcomer
    ) -> InvitationRequired | TooManyRequests | None:
        if (wait := parts.take(who.address)) is not None:
            return TooManyRequests(math.ceil(wait))
        contact, now = None if who.claim is None else who.claim.key, parts.clock.now()
        good = await parts.store.read(
            lambda transaction: transaction.invitations.is_good(invitation, contact, now)
        )
        return None if good else InvitationRequired()

    async def enter(self, who: Newcomer, username: str, door: AccountOrigin, language: str) -> GateEntry:
        """What `add_account` needs. language: of mails to the person."""
        if self._parts is None:
            return GateEntry(policy=self.policy)
        papers = None
        if self.policy.admission(who.claim, invited=who.invitation is not None) is SignUpVerdict.TO_APPROVE:
            papers = await self._parts.desk.write_papers(username, door, who.claim, language)
        budgets = self._budgets(self._parts, who.address)
        return GateEntry(policy=self.policy, invitation=who.invitation, papers=papers, budgets=budgets)

    def _budgets(self, parts: GateParts, address: str) -> tuple[Budget, ...]:
        key, each = parts.pepper.budget_key, parts.daily_waiting_per_address
        whole = Budget(key("waiting", ""), parts.daily_waiting, DAY)
        if each is None or not address:
            return (whole,)
        return (Budget(key("waiting of", client_key(address)), each, DAY), whole)


OPEN_GATE = SignUpGate(DoorPolicy())
"""Everybody gets an account."""


def invitation_hash(text: str | None) -> SecretHash | None:
    """The stored form of an invitation as it was typed or pasted; None for none."""
    return hash_secret(text.strip()) if text is not None and text.strip() else None


async def admit(
    transaction: Transaction, entry: GateEntry, claim: ContactClaim | None, now: Instant
) -> WaitReason | Refused | None:
    """What the account will wait for, None for nothing. After a refusal nothing was written.

    The caller refuses for its own reasons before, since an invitation is spent here.
    """
    reason: WaitReason = "verification"
    match entry.policy.admission(claim, invited=entry.invitation is not None):
        case SignUpVerdict.ADMITTED:
            return None
        case SignUpVerdict.INVITED:
            return await _spend(transaction, entry, claim, now)
        case SignUpVerdict.CLOSED:  # meanwhile
            return RegistrationClosed()
        case SignUpVerdict.REFUSED:
            return InvitationRequired()
        case SignUpVerdict.TO_APPROVE:
            reason = "approval"
        case SignUpVerdict.TO_VERIFY:
            pass
    until = await transaction.budgets.spend(entry.budgets, now)
    return reason if until is None else TooManyRequests(max(1, -(-(until - now) // SECOND)))


async def _spend(
    transaction: Transaction, entry: GateEntry, claim: ContactClaim | None, now: Instant
) -> WaitReason | InvitationRequired | None:
    contact = None if claim is None else claim.key
    if entry.invitation is None:
        return InvitationRequired()
    spent = await transaction.invitations.spend(entry.invitation, contact, now)
    if spent is None:
        return InvitationRequired()
    transaction.audit.note(AuditNote(action="invitation_used", subject=f"invitation {spent.id}"))
    # An invitation for an address is for whoever reads mail to it, and not for everybody who knows both.
    is_proven = claim is not None and claim.is_verified
    return None if spent.contact is None or is_proven else "verification"
