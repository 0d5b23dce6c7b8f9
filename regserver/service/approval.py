"""Accounts that wait for the operator: asking for the approval, and giving it.

    write_papers  before the account is written: a link for the operator, with its mail, and the mail for the person
    hand_in       with the account, in the same transaction
    approve       by the link, once, or by a command: the account can be used, and its person's mail goes out

The operator is asked by mail; whoever else is to be told is told in `hand_in` as well. The mail for the person is written and
encrypted at the beginning, since the steps keep no address that it could be sent to later.
"""

import logging

import msgspec

from regserver.domain.account import Account, AccountId, AccountOrigin
from regserver.domain.audit import AuditNote
from regserver.domain.contact import BudgetKey, ContactClaim, Pepper
from regserver.domain.instant import HOUR, Duration, Instant, after
from regserver.domain.link import AccountLink
from regserver.domain.outcome import BadLink
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, new_token
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.outbox import Outbox

log = logging.getLogger("regserver.approval")

HOURLY_QUESTIONS = 20
"""Mails to the operator in an hour. Each says how many wait, and who waits without one is shown by `regserver user waiting`."""


class ApprovalPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """operator: the address that is asked; "" for none. language: of these mails. link_base: of their links, before /approve.

    ttl: how long an account may wait.
    """

    operator: str = ""
    language: str = "en"
    link_base: str = ""
    ttl: Duration = Duration(0)


class ApprovalParts(msgspec.Struct, frozen=True):
    """What the desk works with."""

    store: Store
    clock: Clock
    randomness: Randomness
    outbox: Outbox
    mail_templates: MailTemplates
    pepper: Pepper


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What is written with an account that waits. link: the hash of its secret; the mails are sealed, None where there are none."""

    link: SecretHash
    expires_at: Instant
    to_operator: bytes | None
    to_person: bytes | None
    questions: BudgetKey


class ApprovalDesk:
    """The use cases of the operator's link, and the papers of accounts to be."""

    def __init__(self, parts: ApprovalParts, policy: ApprovalPolicy) -> None:
        self._parts = parts
        self._policy = policy

    # --- asking
    async def write_papers(
        self, username: str, door: AccountOrigin, claim: ContactClaim | None, language: str
    ) -> Papers:
        """Draws the link and writes the mails, outside the unit of work. language: the person's."""
        parts, policy = self._parts, self._policy
        secret = new_token("regl_", parts.randomness.bytes(TOKEN_BYTES))
        expires_at = after(parts.clock.now(), policy.ttl)
        waiting = await parts.store.read(lambda transaction: transaction.waiting.count())
        email = claim.contact.value if claim is not None and claim.contact.kind == "email" else None
        return Papers(
            link=hash_secret(secret),
            expires_at=expires_at,
            to_operator=self._question(secret, username, door, claim, waiting + 1),
            to_person=None if email is None else self._answer(username, email, language),
            questions=parts.pepper.budget_key("questions to the operator", ""),
        )

    def _question(
        self, secret: str, username: str, door: AccountOrigin, claim: ContactClaim | None, waiting: int
    ) -> bytes | None:
        parts, policy = self._parts, self._policy
        if not policy.operator:
            return None
        values = {
            "username": username,
            "door": door,
            "contact": _shown(claim),
            "waiting": str(waiting),
            "link": f"{policy.link_base}/approve?lang={policy.language}#{secret}",
            "code": secret,
        }
        mail = parts.mail_templates.write("approve", policy.language, policy.operator, values)
        return parts.outbox.prepare(mail)

    def _answer(self, username: str, email: str, language: str) -> bytes:
        mail = self._parts.mail_templates.write("approved", language, email, {"username": username})
        return self._parts.outbox.prepare(mail)

    # --- the operator's link
    async def look(self, secret: str) -> Account | None:
        """The account that the link would approve, without using it; None when it approves none."""
        hashed, now = hash_secret(secret), self._parts.clock.now()

        async def work(transaction: Transaction) -> Account | None:
            link = await transaction.links.find(hashed, "approve", now)
            account = None if link is None else await transaction.accounts.by_id(link.account)
            return account if account is not None and _waits(account) else None

        return await self._parts.store.read(work)

    async def approve(self, secret: str) -> str | BadLink:
        """Approves the account of the link; its name. BadLink: the link was used, or its account waits no more."""
        hashed = hash_secret(secret)

        async def work(transaction: Transaction) -> str | BadLink:
            now = self._parts.clock.now()
            link = await transaction.links.find(hashed, "approve", now)
            if link is None:
                return BadLink()
            await transaction.lock(Lock.ACCOUNT, link.account)
            account = await transaction.accounts.by_id(link.account)
            if await transaction.links.take(hashed, "approve", now) is None or account is None:
                return BadLink()
            return account.username if await approve_locked(transaction, account.id, now) else BadLink()

        return await self._parts.store.write(work)


async def hand_in(transaction: Transaction, papers: Papers, account: AccountId, now: Instant) -> None:
    """Asks the operator for the approval of an account that was just written."""
    link = AccountLink(account=account, purpose="approve", email=None, expires_at=papers.expires_at)
    await transaction.links.add(papers.link, link)
    if papers.to_person is not None:
        await transaction.waiting.keep_mail(account, papers.to_person)
    if papers.to_operator is None:
        return
    budget = Budget(papers.questions, HOURLY_QUESTIONS, HOUR)
    if await transaction.budgets.spend([budget], now) is None:
        await transaction.outbox.add(papers.to_operator, now)


async def approve_locked(transaction: Transaction, account: AccountId, now: Instant) -> bool:
    """Approves an account, whatever it waits for, and tells its person; False when it does not wait.

    The caller holds Lock.ACCOUNT.
    """
    if not await transaction.waiting.end(account, ("approval", "verification"), now):
        return False
    transaction.audit.note(AuditNote(action="account_approved", account=account))
    await transaction.links.remove_all(account, ("approve",))
    mail = await transaction.waiting.take_mail(account)
    if mail is not None:
        await transaction.outbox.add(mail, now)
    return True


def _waits(account: Account) -> bool:
    return account.waits_for is not None and account.deleted_at is None


def _shown(claim: ContactClaim | None) -> str:
    """The contact as the operator reads it: an address whole, a phone number masked."""
    if claim is None:
        return "-"
    return claim.contact.value if claim.contact.kind == "email" else claim.contact.mask
