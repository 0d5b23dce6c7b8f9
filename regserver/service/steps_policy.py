"""The policy and the parts of the registration by steps."""

from collections.abc import Mapping

import msgspec

from regserver.domain.contact import Pepper
from regserver.domain.instant import DAY, MINUTE, SECOND, Duration
from regserver.ports.captcha import Captcha
from regserver.ports.clock import Clock
from regserver.ports.ledger import Ledger
from regserver.ports.mail_template import MailTemplates
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms
from regserver.ports.store import Store
from regserver.service.guess_guard import GuessGuard
from regserver.service.identity_service import IdentityService
from regserver.service.outbox import Outbox
from regserver.service.sign_up_gate import OPEN_GATE, SignUpGate
from regserver.service.sms_guard import SmsGuard


class StepsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings.

    cycle_ttl: from the first code until an unverified registration starts again.
    verified_ttl: from the verification until an unfinished one starts again. claim_ttl: life of a name's reservation.
    require_token: whether later steps always require a token, not only if the client asked for one.
    reveal_state: whether the state is told to clients without the registration's token.
    daily_*: codes, guesses, and contacts that are asked about, in 24 hours. bounded: whether the limits per address and country prefix apply.
    """

    code_digits: int = 6
    code_ttl: Duration = Duration(10 * MINUTE)
    resend_after: Duration = Duration(45 * SECOND)
    max_resends: int = 3
    cycle_ttl: Duration = DAY
    verified_ttl: Duration = Duration(7 * DAY)
    claim_ttl: Duration = DAY
    user_id_prefix: str = "reg1"
    identity_secure_key: str = ""
    require_token: bool = False
    reveal_state: bool = True
    daily_tries_per_contact: int = 10
    daily_codes_per_contact: int = 10
    daily_codes_per_address: int = 100
    daily_codes_per_prefix: int = 5000
    daily_contacts_per_address: int = 200
    bounded: bool = True

    def __repr__(self) -> str:
        return "StepsPolicy(…)"  # it holds a key


class StepsParts(msgspec.Struct, frozen=True, kw_only=True):
    """pepper: hashes contacts and codes. sms_texts: language → the SMS with {code} in it.
    captcha: guards the first step, unless it is None. ledger: records the finished account. identity: opens its session.
    gate: of new people.
    """

    store: Store
    clock: Clock
    randomness: Randomness
    guard: GuessGuard
    pepper: Pepper
    outbox: Outbox
    mail_templates: MailTemplates
    sms: Sms
    sms_guard: SmsGuard
    sms_texts: Mapping[str, str]
    captcha: Captcha | None
    ledger: Ledger
    identity: IdentityService
    gate: SignUpGate = OPEN_GATE
