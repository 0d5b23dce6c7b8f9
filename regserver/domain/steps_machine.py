"""The registration by steps: its states, the steps between them, and their guards.

TRANSITIONS is the whole machine (the protocol is in docs/steps.md). A state without an entry for a method refuses it with
"Invalid step taken", or "Account already registered" in the last state, and nothing changes. Only time leads back: a
registration that stays too long in a state of LAPSING is in its first state again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from regserver.domain.contact import CodeMac, ContactKey, ContactKind, LookupKey, NetworkKey
from regserver.domain.instant import Instant
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash

StepsState = Literal[
    "firstStep",
    "verify",
    "firstStepEmail",
    "verifyEmail",
    "createIdentity",
    "setUsername",
    "toBlockChain",
    "registered",
]
Step = Literal[
    "firstStep",
    "verify",
    "resendSmsCode",
    "firstStepEmail",
    "verifyEmail",
    "resendEmailCode",
    "createIdentity",
    "setUsername",
    "toBlockChain",
]

TRANSITIONS: Mapping[StepsState, Mapping[Step, StepsState]] = {
    "firstStep": {"firstStep": "verify"},
    "verify": {"verify": "setUsername", "resendSmsCode": "verify"},
    "firstStepEmail": {"firstStepEmail": "verifyEmail"},
    "verifyEmail": {"verifyEmail": "setUsername", "resendEmailCode": "verifyEmail"},
    "createIdentity": {"createIdentity": "setUsername"},
    "setUsername": {"setUsername": "toBlockChain"},
    "toBlockChain": {"setUsername": "toBlockChain", "toBlockChain": "registered"},
    "registered": {},
}

TOKEN_STEPS: frozenset[Step] = frozenset({"setUsername", "toBlockChain"})
"""Steps that require the registration's token, if it has one."""

FIRST: Mapping[ContactKind, StepsState] = {
    "phone": "firstStep",
    "email": "firstStepEmail",
    "identity": "createIdentity",
}

LAPSING: frozenset[StepsState] = frozenset({"verify", "verifyEmail", "setUsername", "toBlockChain"})
"""Without lapsing, a contact whose code is never entered is stuck, and the next owner of a verified number could go on."""

USER_ID_LENGTH = 12
USER_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_USERNAME = re.compile(r"[a-z](?:[.-]?[a-z0-9])*", re.ASCII)


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One contact on its way to an account.

    network: that asked for the current code; after the verification the one that went on. None: not known yet.
    code_tries: comparisons that the current code has left for that network. other_tries: for all others together.
    resends: codes sent again in this cycle.
    retry_at: when the next code may be asked for. lapses_at: when the state falls back, None when it does not.
    token: the hash of the registration's own token, where the client asked for one.
    invitation: that it came with, until it is spent. admitted_at: when it was, if before the account.
    user_id: the ledger name, given at the first choice of a user name; later choices do not change it.
    """

    contact: ContactKey
    lookup: LookupKey
    kind: ContactKind
    mask: str
    provider: str | None = None
    state: StepsState
    network: NetworkKey | None = None
    code: CodeMac | None = None
    code_expires_at: Instant | None = None
    code_tries: int = 0
    other_tries: int = 0
    resends: int = 0
    retry_at: Instant | None = None
    lapses_at: Instant | None = None
    token: SecretHash | None = None
    username: str | None = None
    user_id: str | None = None
    updated_at: Instant
    invitation: SecretHash | None = None
    admitted_at: Instant | None = None


# --- guards
def is_steps_username(username: str) -> bool:
    """3 to 32 of a-z, 0-9, "." and "-": begins with a letter, ends with a letter or digit, no two marks in a row."""
    return 3 <= len(username) <= 32 and _USERNAME.fullmatch(username) is not None


def has_code(registration: Registration, now: Instant) -> bool:
    """Whether there is a code that a guess may be compared with."""
    return (
        registration.code is not None
        and registration.code_expires_at is not None
        and now < registration.code_expires_at
    )


def one_try_less(registration: Registration, network: NetworkKey, now: Instant) -> Registration | None:
    """The registration after a guess from `network`; None when that has no try left.

    The network that asked for the code has tries of its own, so that strangers cannot use them up; all others share some.
    """
    if registration.network == network:
        left = registration.code_tries - 1
        return None if left < 0 else msgspec.structs.replace(registration, code_tries=left, updated_at=now)
    left = registration.other_tries - 1
    return None if left < 0 else msgspec.structs.replace(registration, other_tries=left, updated_at=now)


def as_of(registration: Registration, now: Instant) -> Registration:
    """The registration at `now`: in its first state again, if it has lapsed."""
    due = registration.lapses_at is not None and registration.lapses_at <= now
    if not due or registration.state not in LAPSING:
        return registration
    return begun_anew(registration, FIRST[registration.kind], registration.updated_at)


def begun_anew(registration: Registration, state: StepsState, now: Instant) -> Registration:
    """The same contact in `state`, without code, token and name."""
    return Registration(
        contact=registration.contact,
        lookup=registration.lookup,
        kind=registration.kind,
        mask=registration.mask,
        provider=registration.provider,
        state=state,
        updated_at=now,
    )


def name_holder(registration: Registration) -> str:
    """The holder of the reservation of this registration's name."""
    return f"steps:{registration.contact.hex()}"


def new_user_id(prefix: str, below: Callable[[int], int]) -> str:
    """A ledger name: the prefix, then random letters up to 12 characters."""
    missing = USER_ID_LENGTH - len(prefix)
    return prefix + "".join(USER_ID_LETTERS[below(len(USER_ID_LETTERS))] for _ in range(missing))


# --- refusals; web.steps has the code and text of each
class StepRefusal(Refusal, frozen=True, kw_only=True):
    """A refused step. state: of the registration; None when there is none."""

    state: StepsState | None = None


class AlreadyRegistered(StepRefusal, frozen=True):
    """Nothing more to do for this contact."""


class InvalidStep(StepRefusal, frozen=True):
    """The state has no such step, the required token is missing or wrong, or the network is not the one that verified."""


class CaptchaFailed(StepRefusal, frozen=True):
    """The answer is wrong, or could not be checked."""


class BadContact(StepRefusal, frozen=True):
    """Not a phone number or address, where a registration would begin with it."""


class WrongCode(StepRefusal, frozen=True):
    """Wrong, expired or used up: deliberately one answer."""


class NameTaken(StepRefusal, frozen=True):
    """Taken or reserved, at whatever door."""


class BadUserName(StepRefusal, frozen=True):
    """Not a user name of this door."""


class TryLater(StepRefusal, frozen=True):
    """The next code may be asked for at `retry_at`."""

    retry_at: Instant


class TooManyRetries(StepRefusal, frozen=True):
    """No more codes until `retry_at`."""

    retry_at: Instant


class NotSent(StepRefusal, frozen=True):
    """The provider did not accept the message, or the operator sends none to this country."""


class WrongKey(StepRefusal, frozen=True):
    """Not the identity service's secure key."""


class RegistrationsClosed(StepRefusal, frozen=True):
    """The operator does not take sign-ups at this door."""


class NotInvited(StepRefusal, frozen=True):
    """Sign-ups need an invitation here, and there is none that is good for this contact."""


class TooManySignUps(StepRefusal, frozen=True):
    """Too many invitations were tried, or too many sign-ups wait already; the next may come at `retry_at`."""

    retry_at: Instant


class TooManyGuesses(StepRefusal, frozen=True):
    """Too many wrong keys in a row; the next may be tried at `retry_at`."""

    retry_at: Instant


class OtherName(StepRefusal, frozen=True):
    """Not the user name that was chosen."""


class OtherUserId(StepRefusal, frozen=True):
    """Not the userId that was given."""


class BadPublicKey(StepRefusal, frozen=True):
    """Not a public key: shape, checksum or curve point is wrong."""


class LedgerUnavailable(StepRefusal, frozen=True):
    """The ledger did not accept the account; the same call may be repeated."""


class UserNotFound(StepRefusal, frozen=True):
    """No registered user has this userId."""


class AmbiguousIdentity(StepRefusal, frozen=True):
    """Several providers have this identity; the client must name one."""
