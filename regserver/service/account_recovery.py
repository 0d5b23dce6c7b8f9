"""Recovery of an account whose password is forgotten: a link, from a mail or of the operator's, sets a new one.

    ask     → remembered, and answered at once
    run     → a link and its mail, for an account with a verified address that may be sent a mail
    finish  → the link is used up, the password replaced, and all that `regserver.domain.ending` says ends

The answer to `ask` is given before the name is looked up, so neither its bytes nor its time tell whether there is such an
account. What waits is bounded in number, whoever asked, and the mails by the budgets of the address.

A link resets the counters of wrong passwords: it opens an account whose password was closed to strangers. A second factor is
still asked for. An account whose password is the data source's has none to set here; see `own_password`.
"""

import logging

import msgspec
import trio

from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.contact import Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import MINUTE, after
from regserver.domain.link import LINK_LIFE
from regserver.domain.outcome import (
    BadCaptcha,
    BadPassword,
    BadRecovery,
    NotApproved,
    SecondFactorRequired,
    TooManyRequests,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.broker import Broker
from regserver.ports.captcha import Captcha, CaptchaAnswer, is_passed
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.asker import Asker
from regserver.service.guess_guard import GuessGuard
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.mail_cap import mail_budgets
from regserver.service.mailed_link import add_recovery_link, link_address, new_link_secret
from regserver.service.outbox import Outbox
from regserver.service.own_password import has_own_password, is_new_password, tell_password_changed

log = logging.getLogger("regserver.recovery")

MOST_WISHES = 1000
"""Requests for a mail that wait at once; further ones are refused for a second."""


class AccountRecoveryParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with. captcha: None demands none."""

    store: Store
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    identity: IdentityService
    guard: GuessGuard
    outbox: Outbox
    mail_templates: MailTemplates
    pepper: Pepper
    broker: Broker
    captcha: Captcha | None = None


class RecoveryWish(msgspec.Struct, frozen=True):
    """Somebody asks for a mail. who: a user name or an address. link_base: scheme, host and path before /recover."""

    who: str
    language: str
    link_base: str


class _Recipient(msgspec.Struct, frozen=True):
    account: Account
    email: str


class AccountRecovery:
    """The use cases of a forgotten password."""

    def __init__(self, parts: AccountRecoveryParts) -> None:
        self._parts = parts
        self._send, self._wishes = trio.open_memory_channel[RecoveryWish](MOST_WISHES)

    # --- asking for a link
    async def ask(self, wish: RecoveryWish, answer: CaptchaAnswer) -> BadCaptcha | TooManyRequests | None:
        """Remembers the wish. The refusals tell nothing about the name."""
        if not await is_passed(self._parts.captcha, answer):
            return BadCaptcha()
        try:
            self._send.send_nowait(wish)
        except trio.WouldBlock:
            return TooManyRequests(1)
        return None

    async def run(self) -> None:
        """Serves the wishes in their order, for ever."""
        async for wish in self._wishes:
            try:
                await self.serve(wish)
            except StoreFault as fault:
                log.warning("a mail that recovers an account is not written: %s", fault)

    async def serve(self, wish: RecoveryWish) -> bool:
        """Writes the link and its mail; False where nobody gets one. Raises StoreFault."""
        found = await self._parts.store.look_up(lambda transaction: self._recipient(transaction, wish.who))
        if found is None:
            return False
        parts, life = self._parts, LINK_LIFE["recover"]
        secret = new_link_secret(parts.randomness)
        values = {
            "username": found.account.username,
            "link": link_address(wish.link_base, "recover", secret, wish.language),
            "code": secret,
            "minutes": str(life // MINUTE),
        }
        expires_at = after(parts.clock.now(), life)
        mail = parts.mail_templates.write("recover", wish.language, found.email, values, expires_at)
        budgets = mail_budgets(parts.pepper, parts.pepper.contact_key(contact_of_email(found.email)))

        async def work(transaction: Transaction) -> bool:
            await transaction.lock(Lock.ACCOUNT, found.account.id)
            if await self._recipient(transaction, wish.who) != found:
                return False
            if await transaction.budgets.spend(budgets, parts.clock.now()) is not None:
                return False
            await add_recovery_link(transaction, found.account.id, secret, parts.clock, life)
            await parts.outbox.enqueue(transaction, mail)
            return True

        return await parts.store.write(work)

    async def _recipient(self, transaction: Transaction, who: str) -> _Recipient | None:
        """By name, then by verified address. The mail goes to the stored spelling.

        The steps store no address: whoever names the contact of their registration has the mail there, also where the
        account has got an address beside it.
        """
        if not is_sign_in_name(who):
            return None
        email = read_email(who)
        account = await transaction.accounts.by_name(name_key(who))
        if account is None and email is not None:
            key = self._parts.pepper.contact_key(contact_of_email(email))
            account = await transaction.contacts.owner(key)
        else:
            email = None
        if account is None or account.deleted_at is not None:
            return None
        address = account.verified_email
        if email is not None and (address is None or email_key(address) != email_key(email)):
            address = email
        if address is None or not await has_own_password(transaction, account):
            return None
        return _Recipient(account, address)

    # --- the link
    async def look(self, secret: str) -> str | None:
        """The name of the account that the link would open, without using it; None when it opens none."""
        account = await self._look(hash_secret(secret))
        return None if account is None else account.username

    async def finish(
        self, secret: str, password: str, asker: Asker
    ) -> SignedIn | SecondFactorRequired | NotApproved | BadRecovery | BadPassword:
        """Sets the password and signs in, unless the account waits. BadRecovery, BadPassword: nothing has changed. Raises StoreFault."""

        async def sign_in(
            transaction: Transaction, account: AccountId
        ) -> SignedIn | SecondFactorRequired | NotApproved:
            refusal = await self._parts.identity.ask_factor(transaction, account, "sign_in")
            if refusal is not None:
                return refusal
            await self._parts.guard.remember(transaction, account, asker)
            return await self._parts.identity.issue(transaction, account, asker)

        new_hash = await self._hashed(secret, password)
        if not isinstance(new_hash, str):
            return new_hash

        async def work(
            transaction: Transaction,
        ) -> tuple[SignedIn | SecondFactorRequired | NotApproved, EndedSessions] | BadRecovery:
            ended = await self._set(transaction, hash_secret(secret), new_hash)
            if isinstance(ended, BadRecovery):
                return ended
            return await sign_in(transaction, ended.account), ended

        outcome = await self._parts.store.write(work)
        if isinstance(outcome, BadRecovery):
            return outcome
        close_sockets_nowait(self._parts.broker, outcome[1])
        return outcome[0]

    async def reset(self, secret: str, password: str) -> BadRecovery | BadPassword | None:
        """The same without a sign-in, for the page, which leads to it. Raises StoreFault."""
        new_hash = await self._hashed(secret, password)
        if not isinstance(new_hash, str):
            return new_hash
        ended = await self._parts.store.write(
            lambda transaction: self._set(transaction, hash_secret(secret), new_hash)
        )
        if isinstance(ended, BadRecovery):
            return ended
        close_sockets_nowait(self._parts.broker, ended)
        return None

    async def _look(self, secret: SecretHash) -> Account | None:
        async def work(transaction: Transaction) -> Account | None:
            link = await transaction.links.find(secret, "recover", self._parts.clock.now())
            account = None if link is None else await transaction.accounts.by_id(link.account)
            return None if account is None or account.deleted_at is not None else account

        return await self._parts.store.look_up(work)

    async def _hashed(self, secret: str, password: str) -> str | BadRecovery | BadPassword:
        """The hash is made outside the unit, for whoever has a link that is good only."""
        account = await self._look(hash_secret(secret))
        if account is None:
            return BadRecovery()
        if not is_new_password(self._parts.hasher, password, account):
            return BadPassword()
        return await self._parts.hasher.hash(password)

    async def _set(
        self, transaction: Transaction, secret: SecretHash, new_hash: str
    ) -> EndedSessions | BadRecovery:
        now = self._parts.clock.now()
        link = await transaction.links.find(secret, "recover", now)
        if link is None:
            return BadRecovery()
        # The lock comes before the link is taken: a deletion, too, locks the account and then removes its links.
        await transaction.lock(Lock.ACCOUNT, link.account)
        taken = await transaction.links.take(secret, "recover", now)
        account = await transaction.accounts.by_id(link.account)
        if taken is None or account is None or account.deleted_at is not None:
            return BadRecovery()
        known = account.password_hash or ""
        if not await transaction.accounts.renew_password_hash(account.id, known, new_hash, now):
            return BadRecovery()
        await transaction.guesses.forget(account.id)
        await tell_password_changed(transaction, account, self._parts.mail_templates, self._parts.outbox)
        return await end_outstanding(transaction, AccountEvent.RECOVERED, account.id, None)
