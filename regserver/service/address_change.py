"""Another address for an account, by its person, and its undoing by whoever reads mail to the old one.

    ask      → a link is mailed to the new address; nothing has changed yet
    confirm  → the new address is the account's; the old one is mailed a link that undoes this        (AddressService.verify)
    undo     → the old address is the account's again, and nothing opens the account but a link in a mail to it

An undoing means that a stranger got in. So all sessions end, and so do password and passkeys, with which the stranger could come
back; a link that sets a new password is mailed. A second factor stays: it opens nothing alone, and it stops a stranger who can
read the old mailbox.
"""

import msgspec

from regserver.domain.account import Account
from regserver.domain.contact import Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, after
from regserver.domain.link import LINK_LIFE, AccountLink
from regserver.domain.outcome import BadEmail, BadLink, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.broker import Broker
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.mailer import Mail
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.address_exchange import LinkShown, address_claim, exchange_address, link_shown
from regserver.service.asker import Asker
from regserver.service.identity_service import IdentityService
from regserver.service.mail_cap import mail_budgets
from regserver.service.mailed_link import add_recovery_link, link_address, new_link_secret
from regserver.service.outbox import Outbox
from regserver.service.own_password import has_own_password
from regserver.service.reauthentication import ProofRefusal, Reauthentication

DAILY_CHANGES = 10
"""Links to new addresses that one account can have mailed in 24 hours, beginning with the first."""

AddressChangeRefusal = ProofRefusal | BadEmail


class AddressChangeParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with."""

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    again: Reauthentication
    outbox: Outbox
    mail_templates: MailTemplates
    pepper: Pepper
    broker: Broker


class AddressWish(msgspec.Struct, frozen=True):
    """A new address as it was typed, with the password; None where there is none. link_base: of the link in the mail."""

    email: str
    password: str | None
    link_base: str

    def __repr__(self) -> str:
        return "AddressWish(…)"


class _ChangeMails(msgspec.Struct, frozen=True):
    """Both mails that may go to a new address, so that a free one takes the same work. secret: the hash of the link's."""

    secret: SecretHash
    link: Mail
    refusal: Mail
    expires_at: Instant


class AddressChange:
    """The use cases of POST /login/email and /login/email/undo."""

    def __init__(self, parts: AddressChangeParts) -> None:
        self._parts = parts

    # --- asking
    async def ask(self, token: SecretHash, wish: AddressWish, asker: Asker) -> AddressChangeRefusal | None:
        """Mails a link to the new address, and ends an earlier one of the account's. Raises StoreFault.

        The answer does not tell whether the address is another account's, which its owner hears by mail, nor whether it was
        sent enough mails. TooManyRequests: guesses at the password, or the account's own changes.
        """
        async with self._parts.again.prove(token, wish.password, asker) as proof:
            if isinstance(proof, Refusal):
                return proof
            email = read_email(wish.email)
            if email is None:
                return BadEmail()
            if (refusal := await self._count(proof.account)) is not None:
                return refusal
            mails = self._write(proof.account, email, asker.language, wish.link_base)

            async def act(
                transaction: Transaction, account: Account, now: Instant
            ) -> AddressChangeRefusal | None:
                refusal = await proof.settle(transaction, account)
                if refusal is None:
                    await self._send(transaction, account, mails, now)
                return refusal

            return await self._parts.identity.write_locked(token, act)

    async def _count(self, account: Account) -> TooManyRequests | None:
        """In a unit of its own, before the address is looked at: how far the count goes does not tell whose the address is."""
        key = self._parts.pepper.budget_key("changes of address", str(account.id))
        changes, now = Budget(key, DAILY_CHANGES, DAY), self._parts.clock.now()
        until = await self._parts.store.write(lambda transaction: transaction.budgets.spend((changes,), now))
        return None if until is None else TooManyRequests(max(1, -(-(until - now) // SECOND)))

    def _write(self, account: Account, email: str, language: str, link_base: str) -> _ChangeMails:
        """Outside any transaction: rendering takes longer than the units that wait."""
        parts, life = self._parts, LINK_LIFE["change_email"]
        secret, expires_at = new_link_secret(parts.randomness), after(parts.clock.now(), life)
        values = {
            "username": account.username,
            "link": link_address(link_base, "verify", secret, language),
            "code": secret,
            "hours": str(life // HOUR),
        }
        link = parts.mail_templates.write("change_email", language, email, values, expires_at)
        refusal = parts.mail_templates.write("email_in_use", language, email, {})
        return _ChangeMails(hash_secret(secret), link, refusal, expires_at)

    async def _send(
        self, transaction: Transaction, account: Account, mails: _ChangeMails, now: Instant
    ) -> None:
        pepper, email = self._parts.pepper, mails.link.to
        key = address_claim(pepper, email).key
        if account.verified_email == email:
            return
        owner = await transaction.contacts.owner(key)
        if await transaction.budgets.spend(mail_budgets(pepper, key), now) is not None:
            return
        if owner is not None and owner.id != account.id:
            await self._parts.outbox.enqueue(transaction, mails.refusal)
            return
        await transaction.links.remove_all(account.id, ("change_email",))
        link = AccountLink(
            account=account.id, purpose="change_email", email=email, expires_at=mails.expires_at
        )
        await transaction.links.add(mails.secret, link)
        await self._parts.outbox.enqueue(transaction, mails.link)

    # --- the new address is proved
    async def confirm(
        self, transaction: Transaction, account: Account, email: str, link_base: str, now: Instant
    ) -> EndedSessions | BadLink:
        """Exchanges the address in the unit that has used up its link, and mails the old one. See `exchange_address`."""
        parts, old = self._parts, account.verified_email
        if not await exchange_address(transaction, account, email, parts.pepper, now):
            return BadLink()
        ended = await end_outstanding(transaction, AccountEvent.EMAIL_CHANGED, account.id, None)
        if old is not None and old != email:
            await self._offer_undo(transaction, account, old, (email, link_base), now)
        return ended

    async def _offer_undo(
        self, transaction: Transaction, account: Account, old: str, new: tuple[str, str], now: Instant
    ) -> None:
        """The mail is bound by DAILY_CHANGES alone: nobody can use up what an address may be sent to keep it silent."""
        parts, life = self._parts, LINK_LIFE["undo_email"]
        email, link_base = new
        secret, expires_at = new_link_secret(parts.randomness), after(now, life)
        language = await transaction.networks.language(account.id) or ""
        values = {
            "username": account.username,
            "address": contact_of_email(
                email
            ).mask,  # whoever reads the old mailbox need not know the new one
            "link": link_address(link_base, "undo", secret, language),
            "code": secret,
            "days": str(life // DAY),
        }
        link = AccountLink(account=account.id, purpose="undo_email", email=old, expires_at=expires_at)
        await transaction.links.add(hash_secret(secret), link)
        mail = parts.mail_templates.write("email_changed", language, old, values, expires_at)
        await parts.outbox.enqueue(transaction, mail)

    # --- and undone
    async def look(self, secret: str) -> LinkShown | None:
        """What a link that undoes a change would do, without using it; None when it does nothing."""

        async def work(transaction: Transaction) -> LinkShown | None:
            link = await transaction.links.find(hash_secret(secret), "undo_email", self._parts.clock.now())
            return None if link is None else await link_shown(transaction, link, self._parts.pepper)

        return await self._parts.store.read(work)

    async def undo(self, secret: str, link_base: str) -> str | BadLink:
        """Gives the account of the link its old address back; the address. Raises StoreFault.

        BadLink: the link was used, has expired, or somebody else has verified the address meanwhile. link_base: of the link in
        the mail that follows.
        """
        hashed = hash_secret(secret)
        outcome = await self._parts.store.write(
            lambda transaction: self._undo(transaction, hashed, link_base)
        )
        if isinstance(outcome, BadLink):
            return outcome
        email, ended = outcome
        close_sockets_nowait(self._parts.broker, ended)
        return email

    async def _undo(
        self, transaction: Transaction, secret: SecretHash, link_base: str
    ) -> tuple[str, EndedSessions] | BadLink:
        parts, now = self._parts, self._parts.clock.now()
        link = await transaction.links.find(secret, "undo_email", now)
        if link is None or link.email is None:
            return BadLink()
        # The locks come before the link is taken: a deletion, too, locks the account and then removes its links.
        await transaction.lock(Lock.EMAIL, address_claim(parts.pepper, link.email).key)
        await transaction.lock(Lock.ACCOUNT, link.account)
        taken = await transaction.links.take(secret, "undo_email", now)
        account = await transaction.accounts.by_id(link.account)
        if taken is None or account is None or account.deleted_at is not None:
            return BadLink()
        if not await exchange_address(transaction, account, link.email, parts.pepper, now):
            return BadLink()
        await transaction.links.remove_since(account.id, "undo_email", link.expires_at)
        ended = await end_outstanding(transaction, AccountEvent.EMAIL_UNDONE, account.id, None)
        await transaction.passkeys.remove_all(account.id)
        await self._close_password(transaction, account, link.email, link_base)
        return link.email, ended

    async def _close_password(
        self, transaction: Transaction, account: Account, email: str, link_base: str
    ) -> None:
        """Takes the password away, where it is kept here, and mails a link that sets a new one."""
        parts, now = self._parts, self._parts.clock.now()
        language = await transaction.networks.language(account.id) or ""
        values = {"username": account.username}
        if not await has_own_password(transaction, account):
            mail = parts.mail_templates.write("email_restored_source", language, email, values)
            await parts.outbox.enqueue(transaction, mail)
            return
        known = account.password_hash or ""
        await transaction.accounts.renew_password_hash(account.id, known, None, now)
        secret, life = new_link_secret(parts.randomness), LINK_LIFE["recover"]
        await add_recovery_link(transaction, account.id, secret, parts.clock, life)
        values |= {
            "link": link_address(link_base, "recover", secret, language),
            "code": secret,
            "minutes": str(life // MINUTE),
        }
        mail = parts.mail_templates.write("email_restored", language, email, values, after(now, life))
        await parts.outbox.enqueue(transaction, mail)
