"""Sign-in by code on a real store: a clock and randomness that are held still, an SMS service that keeps what it is given."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.contact import Contact
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import DAY
from regserver.domain.sign_in_code import SignInCode
from regserver.ports.captcha import Captcha
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import end_outstanding
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.code_issue import CodePolicy, SignInCodeParts
from regserver.service.code_sign_in import CodeSignIn, CodeSignInParts, CodeWish
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.outbox import Outbox
from regserver.service.sms_guard import SmsGuard, SmsPolicy
from regserver.store.sqlite import open_sqlite
from regserver.text import CATALOGUES
from tests.deletion import close_account
from tests.fake import NAME_HASH, PEPPER, ManualClock, SeededRandomness
from tests.guess import HOME, MAIL_TEMPLATES, open_guard
from tests.steps import KeptSms, code_in

STRANGER = Asker("198.51.100.9", "en")
UNBOUNDED = SmsPolicy(guarded=False)


class CodeDesk:
    """The service with all that it stands on."""

    def __init__(
        self,
        store: Store,
        sms_policy: SmsPolicy = UNBOUNDED,
        captcha: Captcha | None = None,
        **figures: object,
    ) -> None:
        self.store = store
        self.clock = ManualClock()
        self.randomness = SeededRandomness(7)
        self.identity = IdentityService(store, self.clock, self.randomness, DAY)
        self.guard = open_guard(store, self.clock)
        self.outbox = Outbox(self.clock, self.randomness, bytes(32))
        self.sms = KeptSms()
        self.outcomes: Counter[str] = Counter()
        self.policy = msgspec.structs.replace(CodePolicy(), **figures)
        self.service = CodeSignIn(
            CodeSignInParts(
                store=store,
                identity=self.identity,
                guard=self.guard,
                codes=SignInCodeParts(
                    clock=self.clock,
                    randomness=self.randomness,
                    pepper=PEPPER,
                    outbox=self.outbox,
                    mail_templates=MAIL_TEMPLATES,
                    sms_guard=SmsGuard(PEPPER, sms_policy, lambda name, _: self.outcomes.update([name])),
                ),
                sms=self.sms,
                sms_texts={language: text.sms.sign_in for language, text in CATALOGUES.items()},
                captcha=captcha,
            ),
            self.policy,
        )

    async def add(self, username: str, contact: Contact) -> AccountId:
        """Somebody who has verified the contact."""
        claim = PEPPER.claim(contact, is_verified=True)
        address = contact.value if contact.kind == "email" else None
        new = NewAccount(
            username=username,
            email=address,
            origin="rooms",
            created_at=self.clock.now(),
            contact=claim,
        )

        async def work(transaction: Transaction) -> AccountId:
            await transaction.lock(Lock.EMAIL, claim.key)
            account = await add_account(transaction, new)
            assert isinstance(account, int), account
            return account

        return await self.store.write(work)

    async def ask(self, contact: Contact, asker: Asker = HOME) -> bool:
        """Serves a wish; whether a code was sent."""
        return await self.service.serve(CodeWish(contact, asker))

    async def code(self, contact: Contact, asker: Asker = HOME) -> str:
        """A new code, as it was sent."""
        assert await self.ask(contact, asker)
        return self.sms.code if contact.kind == "phone" else await self.mailed_code()

    async def mailed_code(self) -> str:
        return code_in((await self.mails())[-1][1])

    async def mails(self) -> list[tuple[str, str]]:
        """Recipients and texts, in order."""
        rows = await self.store.read(lambda transaction: transaction.outbox.list(1000))
        opened = [self.outbox.open(row.sealed) for row in sorted(rows, key=lambda row: row.id)]
        return [(mail.to, mail.text) for mail in opened if mail is not None]

    async def enter(self, contact: Contact, code: int | str, asker: Asker = HOME) -> object:
        return await self.service.verify(contact, code, asker)

    async def enters(self, contact: Contact, code: int | str, asker: Asker = HOME) -> SignedIn:
        outcome = await self.enter(contact, code, asker)
        assert isinstance(outcome, SignedIn), outcome
        return outcome

    async def row(self, contact: Contact) -> SignInCode | None:
        return await self.store.read(lambda transaction: transaction.codes.find(PEPPER.contact_key(contact)))

    async def end(self, account: AccountId, event: AccountEvent) -> None:
        """What the event ends."""

        async def work(transaction: Transaction) -> None:
            await transaction.lock(Lock.ACCOUNT, account)
            await end_outstanding(transaction, event, account, None)

        await self.store.write(work)

    async def delete(self, account: AccountId) -> None:
        async def work(transaction: Transaction) -> None:
            found = await transaction.accounts.by_id(account)
            assert found is not None
            assert await close_account(transaction, found, self.clock.now())

        await self.store.write(work)


def wrong(code: str) -> str:
    """Another code of as many digits."""
    return str(int(code) + 1) if code[-1] != "9" else str(int(code) - 1)


@asynccontextmanager
async def open_desk(
    folder: Path,
    sms_policy: SmsPolicy = UNBOUNDED,
    captcha: Captcha | None = None,
    **figures: object,
) -> AsyncIterator[CodeDesk]:
    """figures: of the policy, where they differ from the defaults."""
    async with open_sqlite(folder / "x.db", hash_name=NAME_HASH) as store:
        yield CodeDesk(store, sms_policy, captcha, **figures)
