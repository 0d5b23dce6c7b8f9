"""Who may sign up at which door, and what becomes of a sign-up.

    open      everybody gets an account
    invite    an invitation is needed
    approve   the account waits until the operator approves it; an invitation stands for that
    closed    nobody new; accounts that are there sign in as ever
    off       the door is not there

Addresses of the operator's domains need neither, once they are verified. Where a door takes an address that is not verified
yet, such an account waits for that alone: typing a domain proves nothing. So does one by an invitation for an address.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Literal

import msgspec

from regserver.domain.contact import ContactClaim

Door = Literal["rooms", "steps", "directory", "live"]
SignUpMode = Literal["open", "invite", "approve", "closed", "off"]
WaitReason = Literal["approval", "verification"]
"""What an account waits for. approval: by the operator. verification: of its address."""
BarReason = Literal["approval", "verification", "resumption"]
"""The same, and resumption: of an account that the operator has suspended."""


class SignUpVerdict(Enum):
    """What becomes of a sign-up."""

    ADMITTED = "gets an account"
    INVITED = "gets one, if the invitation is good"
    TO_VERIFY = "gets one that waits until its address is verified"
    TO_APPROVE = "gets one that waits until the operator approves it"
    REFUSED = "needs an invitation"
    CLOSED = "gets none"


class DoorPolicy(msgspec.Struct, frozen=True):
    """The mode of one door. domains: of addresses that need neither invitation nor approval, in lower case."""

    mode: SignUpMode = "open"
    domains: frozenset[str] = frozenset()

    @property
    def accepts(self) -> bool:
        """Whether the door makes new accounts."""
        return self.mode not in {"closed", "off"}

    @property
    def asks(self) -> bool:
        """Whether a sign-up may need more than to come."""
        return self.mode in {"invite", "approve"}

    def welcomes(self, claim: ContactClaim | None) -> bool:
        """Whether it is an address of one of the domains, verified or not."""
        if claim is None or claim.contact.kind != "email":
            return False
        return claim.contact.value.rpartition("@")[2].lower() in self.domains

    def admission(self, claim: ContactClaim | None, *, invited: bool) -> SignUpVerdict:
        """What becomes of a sign-up with this contact. invited: whether it comes with an invitation, good or not."""
        if not self.accepts:
            return SignUpVerdict.CLOSED
        if self.mode == "open":
            return SignUpVerdict.ADMITTED
        welcome = self.welcomes(claim)
        if welcome and claim is not None and claim.is_verified:
            return SignUpVerdict.ADMITTED
        if invited:
            return SignUpVerdict.INVITED
        if welcome:
            return SignUpVerdict.TO_VERIFY
        return SignUpVerdict.TO_APPROVE if self.mode == "approve" else SignUpVerdict.REFUSED


class SignUpPolicy(msgspec.Struct, frozen=True):
    """The policies of all doors."""

    modes: Mapping[Door, SignUpMode]
    domains: frozenset[str] = frozenset()

    def at(self, door: Door) -> DoorPolicy:
        """The policy of one door."""
        return DoorPolicy(self.modes[door], self.domains)

    def accepts(self, door: Door) -> bool:
        """Whether the door makes new accounts."""
        return self.at(door).accepts

    def serves(self, door: Door) -> bool:
        """Whether the door is there at all."""
        return self.modes[door] != "off"
