"""The registration by steps, put together for tests: real store and outbox, a clock and randomness that are held still,
and an SMS provider that keeps what it is given."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from regserver.adapters.jinja_mail import load_mail_templates
from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.contact import Contact, parse_email, parse_identity, parse_phone
from regserver.domain.instant import DAY
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.domain.steps_machine import Registration, StepRefusal
from regserver.ports.captcha import Captcha
from regserver.ports.ledger import Ledger
from regserver.ports.sms import Sms, SmsFault
from regserver.ports.store import Store
from regserver.service.asker import Asker
from regserver.service.identity_service import IdentityService
from regserver.service.onboarding_service import OnboardingService
from regserver.service.outbox import Outbox
from regserver.service.registration_lookup import Proof, RegistrationLookup
from regserver.service.sms_guard import SmsGuard, SmsPolicy
from regserver.service.steps_account_service import Proposal, StepsAccountService
from regserver.service.steps_policy import StepsParts, StepsPolicy
from regserver.service.steps_service import StepResult, StepsService
from regserver.store.sqlite import open_sqlite
from regserver.text import CATALOGUES
from tests.fake import JOURNAL_SEAL, PEPPER, ManualClock, SeededRandomness
from tests.gate import OPEN, open_gate
from tests.guess import open_guard

GLS_KEY = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
K1_KEY = "PUB_K1_6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5BoDq63"
OFF_CURVE_KEY = "GLS4tVMTu4hrMTGeAQpAEzueCYqEESJQgkaH9DVJNnzK1mztsYYww"
MAIL_TEMPLATES = load_mail_templates(None, "example.org")
ASKER = Asker("192.0.2.7", "en")
HERE = Proof(None, ASKER.address)
"""A client without a token in the network that asked for the code."""


class KeptSms(Sms):
    """A provider within reach. faults: so many messages it will not take."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.faults = 0

    async def send(self, phone: str, text: str) -> None:
        if self.faults:
            self.faults -= 1
            raise SmsFault("out of order")
        self.messages.append((phone, text))

    @property
    def code(self) -> str:
        """The code of the last message."""
        return code_in(self.messages[-1][1])


def code_in(text: str) -> str:
    found = re.search(r"\b\d{4,10}\b", text)
    assert found is not None
    return found.group()


class Steps:
    """Everything at hand: the services and what they are built on."""

    def __init__(
        self,
        store: Store,
        policy: StepsPolicy,
        captcha: Captcha | None,
        ledger: Ledger,
        sms_policy: SmsPolicy | None = None,
        door: DoorPolicy = OPEN,
    ) -> None:
        self.store = store
        self.clock = ManualClock()
        self.randomness = SeededRandomness()
        self.pepper = PEPPER
        self.sms = KeptSms()
        self.outbox = Outbox(self.clock, self.randomness, bytes(32))
        self.policy = policy
        self.outcomes: Counter[str] = Counter()
        counted = self.outcomes.update
        guard = SmsGuard(self.pepper, sms_policy or SmsPolicy(guarded=False), lambda name, _: counted([name]))
        self.identity = IdentityService(store, self.clock, self.randomness, DAY)
        self.parts = parts = StepsParts(
            store=store,
            clock=self.clock,
            randomness=self.randomness,
            guard=open_guard(store, self.clock),
            pepper=self.pepper,
            outbox=self.outbox,
            mail_templates=MAIL_TEMPLATES,
            sms=self.sms,
            sms_texts={language: text.sms.code for language, text in CATALOGUES.items()},
            captcha=captcha,
            sms_guard=guard,
            ledger=ledger,
            identity=self.identity,
            gate=open_gate(store, self.clock, self.outbox, door),
        )
        self.lookup = RegistrationLookup(store, self.clock, self.pepper, policy)
        self.service = StepsService(self.lookup, parts, policy)
        self.accounts = StepsAccountService(self.lookup, parts, policy)
        self.onboarding = OnboardingService(store, self.clock)

    async def mailed_code(self) -> str:
        """The code in the newest mail of the outbox."""
        rows = await self.store.read(lambda transaction: transaction.outbox.list(1000))
        mail = self.outbox.open(rows[-1].sealed)
        assert mail is not None
        return code_in(mail.text)

    async def row(self, contact: Contact) -> Registration:
        found = await self.store.read(
            lambda transaction: transaction.registrations.by_contact(self.pepper.contact_key(contact))
        )
        assert found is not None
        return found

    async def to_verified(self, contact: Contact, *, want_token: bool = False) -> str | None:
        """Leads a phone or address to setUsername; the token, if one was wanted."""
        await taken(self.service.first_step(contact, "", "web", ASKER))
        code = self.sms.code if contact.kind == "phone" else await self.mailed_code()
        return (await taken(self.service.verify(contact, code, want_token, ASKER.address))).token

    async def to_named(self, contact: Contact, username: str) -> str:
        """Leads it to toBlockChain; the userId."""
        await self.to_verified(contact)
        found = (await taken(self.service.set_username(contact, username, HERE))).registration
        assert found.user_id is not None
        return found.user_id

    async def to_registered(self, contact: Contact, username: str) -> str:
        user_id = await self.to_named(contact, username)
        await taken(self.accounts.register(contact, proposal(username, user_id), HERE))
        return user_id


async def taken(step: Awaitable[StepResult | StepRefusal]) -> StepResult:
    """The outcome of a step that must succeed."""
    outcome = await step
    assert isinstance(outcome, StepResult), outcome
    return outcome


def proposal(username: str, user_id: str, key: str = K1_KEY) -> Proposal:
    return Proposal(username=username, user_id=user_id, owner=key, active=key)


def stored_bytes(folder: Path) -> bytes:
    """Everything that the store has written."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def phone(number: str = "+380000000000") -> Contact:
    contact = parse_phone(number)
    assert contact is not None
    return contact


def email(address: str = "alice@commun.com") -> Contact:
    contact = parse_email(address)
    assert contact is not None
    return contact


def identity(name: str = "oauth-42", provider: str | None = None) -> Contact:
    contact = parse_identity(name, provider)
    assert contact is not None
    return contact


@asynccontextmanager
async def open_steps(
    folder: Path,
    *,
    captcha: Captcha | None = None,
    ledger: Callable[[Store], Ledger] = lambda store: EmbeddedLedger(JOURNAL_SEAL),
    sms_policy: SmsPolicy | None = None,
    door: DoorPolicy = OPEN,
    **figures: object,
) -> AsyncIterator[Steps]:
    """sms_policy: of the guard; None bounds nothing. figures: of the policy, where they differ from the defaults."""
    policy = msgspec.structs.replace(StepsPolicy(), **figures)
    async with open_sqlite(folder / "x.db") as store:
        yield Steps(store, policy, captcha, ledger(store), sms_policy, door)
