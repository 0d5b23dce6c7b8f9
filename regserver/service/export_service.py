"""The export of everything that is kept about a person, part by part and page by page.

    begin ── token, allowance of the day ──▶ pages(part) ─▶ unit of work ─▶ unit of work … ─▶ the next part

Each page is a unit of work of its own: a person with very many posts holds no snapshot for long, costs little memory, and lets
others in between. So a part is as of the moments at which it was read. The mails that wait are found by opening those of all.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.contact import ContactKey, Pepper, contact_of_email
from regserver.domain.instant import DAY, SECOND, Instant
from regserver.domain.outcome import Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.ports.budget_table import Budget
from regserver.ports.export_table import Place, Record, RecordPage
from regserver.ports.outbox_table import OutboxId, OutboxMessage
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import IdentityService, Unidentified
from regserver.service.outbox import Outbox

DAILY_EXPORTS = 5
"""Exports of one account in 24 hours, beginning with the first."""
PAGE = 64
"""Records of a page; as many posts are a mebibyte at most."""
MAILS = "mails"
"""The part that is not a table's own."""

ReadPage = Callable[[Transaction], Awaitable[RecordPage]]
RunPage = Callable[[ReadPage], Awaitable[RecordPage]]
"""Runs a reading unit of work. Raises ExportCut where the person may no longer see it, and StoreFault."""


class ExportCut(Exception):
    """The session ended during the export, so that the document stays incomplete."""


class Exporter:
    """Reads the parts of one person's document. run: how its units of work are run."""

    def __init__(self, account: AccountId, run: RunPage, outbox: Outbox, pepper: Pepper) -> None:
        self._account = account
        self._run = run
        self._outbox = outbox
        self._pepper = pepper

    async def pages(self, part: str) -> AsyncGenerator[tuple[Record, ...], None]:
        """The records of a part. Raises KeyError for a part that nobody knows, and what `run` raises."""
        after: Place | None = None
        while True:
            page = await self._run(self._reading(part, after))
            yield page.records
            if page.after is None:
                return
            after = page.after

    def _reading(self, part: str, after: Place | None) -> ReadPage:
        if part == MAILS:
            return lambda transaction: self._mails(transaction, after)
        return lambda transaction: transaction.exports.page(part, self._account, after, PAGE)

    async def _mails(self, transaction: Transaction, after: Place | None) -> RecordPage:
        """Of the next waiting mails those to a contact of the person's, without their text: links and codes are in it."""
        (last,) = after or (0,)
        own = await transaction.contacts.of_account(self._account)
        messages = await transaction.outbox.page(OutboxId(int(last)), PAGE) if own else ()
        records = tuple([record for message in messages for record in self._record(message, own)])
        return RecordPage(records, (messages[-1].id,) if len(messages) == PAGE else None)

    def _record(self, message: OutboxMessage, own: frozenset[ContactKey]) -> tuple[Record, ...]:
        mail = self._outbox.open(message.sealed)
        if mail is None or self._pepper.contact_key(contact_of_email(mail.to)) not in own:
            return ()
        record: Record = {
            "to": mail.to,
            "subject": mail.subject,
            "created_at": message.created_at,
            "due_at": message.due_at,
            "attempts": message.attempts,
            "parked_at": message.parked_at,
        }
        return (record,)


class ExportParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the export is made of. pepper: the key of contacts."""

    identity: IdentityService
    outbox: Outbox
    pepper: Pepper


class ExportService:
    """See the module."""

    def __init__(self, parts: ExportParts) -> None:
        self._identity = parts.identity
        self._outbox = parts.outbox
        self._pepper = parts.pepper

    async def begin(self, token: SecretHash) -> Exporter | Unidentified | TooManyRequests:
        """Counts an export of the token's account. The token is asked for again with each page."""

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> AccountId | TooManyRequests:
            budget = Budget(self._pepper.budget_key("exports a day", str(account.id)), DAILY_EXPORTS, DAY)
            full = await transaction.budgets.spend((budget,), now)
            return account.id if full is None else TooManyRequests(max(1, -(-(full - now) // SECOND)))

        account = await self._identity.write(token, act)
        if isinstance(account, Refusal):
            return account

        async def run(read: ReadPage) -> RecordPage:
            page = await self._identity.read(token, lambda transaction, _account, _now: read(transaction))
            if isinstance(page, Refusal):
                raise ExportCut(type(page).__name__)
            return page

        return Exporter(account, run, self._outbox, self._pepper)
