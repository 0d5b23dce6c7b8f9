"""The address of an account: it is verified by a link in a mail, and belongs to the account from then on.

    a sign-up, or `resend`  → a link and its mail, in one transaction, unless the address was sent enough mails
    verify                  → the link is used up; the address is the account's, and everybody else's wish for it is gone

Until then the address is a wish: it reserves nothing, and nobody can sign in with it. `verify` takes the links of AddressChange
as well, whose address replaces a verified one.
"""

import msgspec

from regserver.domain.account import Account, AccountId, email_key
from regserver.domain.contact import ContactKey, Pepper, contact_of_email
from regserver.domain.instant import HOUR, SECOND, Instant, after
from regserver.domain.link import LINK_LIFE, AccountLink
from regserver.domain.outcome import BadLink, TooManyRequests
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.mailer import Mail
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait
from regserver.service.add_account import take_contact
from regserver.service.address_change import AddressChange
from regserver.service.address_exchange import LinkShown, address_claim, link_shown
from regserver.service.identity_service import IdentityService, Unknown
from regserver.service.mail_cap import mail_budgets
from regserver.service.mailed_link import link_address, new_link_secret
from regserver.service.outbox import Outbox


class AddressParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with."""

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    outbox: Outbox
    mail_templates: MailTemplates
    pepper: Pepper
    change: AddressChange
    broker: Broker


class VerificationMail(msgspec.Struct, frozen=True):
    """A link with its mail, before either is written. key: of the address. secret: the hash of the link's."""

    key: ContactKey
    secret: SecretHash
    mail: Mail
    expires_at: Instant


class AddressService:
    """The use cases of an account's address."""

    def __init__(self, parts: AddressParts) -> None:
        self._parts = parts

    # --- asking the mailbox
    def write_mail(self, username: str, email: str, language: str, link_base: str) -> VerificationMail:
        """Draws a link and writes its mail, outside any transaction: rendering takes longer than the units that wait.

        link_base: scheme, host and path before /verify.
        """
        parts, life = self._parts, LINK_LIFE["verify_email"]
        secret, expires_at = new_link_secret(parts.randomness), after(parts.clock.now(), life)
        values = {
            "username": username,
            "link": link_address(link_base, "verify", secret, language),
            "code": secret,
            "hours": str(life // HOUR),
        }
        mail = parts.mail_templates.write("verify", language, email, values, expires_at)
        key = parts.pepper.contact_key(contact_of_email(email))
        return VerificationMail(key, hash_secret(secret), mail, expires_at)

    async def send(
        self, transaction: Transaction, account: AccountId, written: VerificationMail
    ) -> Instant | None:
        """Stores the link and its mail. None when it is on its way, else when the address may be sent the next mail."""
        budgets = mail_budgets(self._parts.pepper, written.key)
        until = await transaction.budgets.spend(budgets, self._parts.clock.now())
        if until is not None:
            return until
        link = AccountLink(
            account=account, purpose="verify_email", email=written.mail.to, expires_at=written.expires_at
        )
        await transaction.links.add(written.secret, link)
        await self._parts.outbox.enqueue(transaction, written.mail)
        return None

    async def resend(
        self, token: SecretHash, language: str, link_base: str
    ) -> Unknown | TooManyRequests | None:
        """Sends another link to the asker's address; nothing to an account that has none, or has verified it."""

        async def look(_transaction: Transaction, account: Account, _now: Instant) -> Account:
            return account

        asker = await self._parts.identity.look_up_waiting(token, look)
        if not isinstance(asker, Account):
            return asker
        if asker.email is None or asker.email_verified_at is not None:
            return None
        written = self.write_mail(asker.username, asker.email, language, link_base)

        async def act(transaction: Transaction, account: Account, now: Instant) -> TooManyRequests | None:
            if account.email != asker.email or account.email_verified_at is not None:
                return None
            until = await self.send(transaction, account.id, written)
            return None if until is None else TooManyRequests(max(1, -(-(until - now) // SECOND)))

        return await self._parts.identity.write_waiting(token, act)

    # --- the answer
    async def look(self, secret: str) -> LinkShown | None:
        """What a link would do, without using it; None when it does nothing."""
        hashed = hash_secret(secret)

        async def work(transaction: Transaction) -> LinkShown | None:
            link = await self._find(transaction, hashed)
            if link is None or link.purpose == "change_email":
                return None if link is None else await link_shown(transaction, link, self._parts.pepper)
            account = await transaction.accounts.by_id(link.account)
            if account is None or not _is_about(link, account):
                return None
            return LinkShown(account.username, link.email or "")

        return await self._parts.store.look_up(work)

    async def verify(self, secret: str, link_base: str) -> str | BadLink:
        """Makes the address of the link its account's; the address. link_base: of the mail to an address that it replaces.

        BadLink: the link was used, has expired, or is about an address that the account no longer has, or that another has.
        """
        hashed = hash_secret(secret)
        outcome = await self._parts.store.write(
            lambda transaction: self._verify(transaction, hashed, link_base)
        )
        if isinstance(outcome, BadLink):
            return outcome
        email, ended = outcome
        if ended is not None:
            close_sockets_nowait(self._parts.broker, ended)
        return email

    async def _find(self, transaction: Transaction, secret: SecretHash) -> AccountLink | None:
        now = self._parts.clock.now()
        link = await transaction.links.find(secret, "verify_email", now)
        return link or await transaction.links.find(secret, "change_email", now)

    async def _verify(
        self, transaction: Transaction, secret: SecretHash, link_base: str
    ) -> tuple[str, EndedSessions | None] | BadLink:
        now = self._parts.clock.now()
        link = await self._find(transaction, secret)
        if link is None or link.email is None:
            return BadLink()
        # The locks come before the link is taken: a deletion, too, locks the account and then removes its links.
        claim = address_claim(self._parts.pepper, link.email)
        await transaction.lock(Lock.EMAIL, claim.key)
        await transaction.lock(Lock.ACCOUNT, link.account)
        taken = await transaction.links.take(secret, link.purpose, now)
        account = await transaction.accounts.by_id(link.account)
        if taken is None or account is None or account.deleted_at is not None:
            return BadLink()
        if link.purpose == "change_email":
            ended = await self._parts.change.confirm(transaction, account, link.email, link_base, now)
            return ended if isinstance(ended, BadLink) else (link.email, ended)
        if not _is_about(link, account):
            return BadLink()
        if account.email_verified_at is None:
            await take_contact(transaction, claim, account.id, now)
            await transaction.accounts.verify_email(account.id, now)
        return link.email, None


def _is_about(link: AccountLink, account: Account) -> bool:
    """Whether the address of the link is the account's. A wish is gone once somebody else has verified the address."""
    if account.deleted_at is not None or account.email is None or link.email is None:
        return False
    return email_key(account.email) == email_key(link.email)
