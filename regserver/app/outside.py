"""What a server takes from outside itself. A test server has others of these, and is the same inside."""

from collections.abc import Awaitable, Callable

import msgspec

from regserver.adapters.ledger import build_ledger
from regserver.adapters.mail import build_mailer
from regserver.adapters.provider_client import ProviderHttp
from regserver.adapters.sms import build_sms
from regserver.adapters.source import Opener, open_source
from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.config import Loaded
from regserver.config.provider import LedgerSection, SmsSection
from regserver.domain.journal import JournalSeal
from regserver.ports.clock import Clock
from regserver.ports.ledger import Ledger
from regserver.ports.mailer import Mailer
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms
from regserver.ports.store import Store
from regserver.service.letter_box import LetterBox

_SYSTEM_CLOCK = SystemClock()


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """source, sms, ledger, mailer: open or build the configured one. store: what stands before the opened store.

    mailbox: where messages of a server for trying out are kept; see trial.py.
    mail_sleep: waits between two looks at the outbox; takes seconds.
    """

    clock: Clock = _SYSTEM_CLOCK
    randomness: Randomness = SystemRandomness()
    store: Callable[[Store], Store] = lambda store: store
    source: Opener = open_source
    sms: Callable[[SmsSection, ProviderHttp, Randomness], Sms] = build_sms
    ledger: Callable[[LedgerSection, JournalSeal, ProviderHttp, Store], Ledger] = build_ledger
    mailer: Callable[[Loaded], Mailer] = build_mailer
    mailbox: LetterBox | None = None
    mail_sleep: Callable[[float], Awaitable[None]] = _SYSTEM_CLOCK.sleep


SYSTEM = Outside()
"""That of every server but those of tests."""
