"""Sign-up at POST /login/register."""

import msgspec

from regserver.domain.account import (
    Account,
    AccountId,
    NewAccount,
    is_rooms_username,
    name_key,
)
from regserver.domain.contact import Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.idempotency import Idempotency, StoredAnswer, sign_up_scope
from regserver.domain.outcome import (
    BadCaptcha,
    BadEmail,
    BadPassword,
    BadUsername,
    EmailTaken,
    IdempotencyConflict,
    InvitationRequired,
    RegistrationClosed,
    SecondFactorRequired,
    TooManyRequests,
    UsernameTaken,
)
from regserver.domain.password import is_rooms_password
from regserver.ports.captcha import Captcha, is_passed
from regserver.ports.clock import Clock
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account, find_taken
from regserver.service.address_service import AddressService
from regserver.service.guess_guard import GuessGuard
from regserver.service.guess_target import target_account
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.new_person import NewPerson, SignUpRefusal
from regserver.service.sign_up_gate import (
    OPEN_GATE,
    GateEntry,
    Newcomer,
    Refused,
    SignUpGate,
    invitation_hash,
)

Taken = UsernameTaken | EmailTaken


class SignUpParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with. gate: of the room door. captcha: None demands none."""

    store: Store
    clock: Clock
    hasher: PasswordHasher
    identity: IdentityService
    guard: GuessGuard
    pepper: Pepper
    addresses: AddressService
    gate: SignUpGate = OPEN_GATE
    captcha: Captcha | None = None


class SignUpService:
    """The use case of POST /login/register."""

    def __init__(self, parts: SignUpParts) -> None:
        self._parts = parts

    async def register(
        self, person: NewPerson, idempotency: Idempotency | None = None
    ) -> SignedIn | SignUpRefusal:
        """Creates an account and its first token. The checks come in the protocol's order. Raises StoreFault."""
        email = read_email(person.email)
        if email is None:
            return BadEmail()
        person = msgspec.structs.replace(person, email=email)
        if not is_rooms_username(person.username):
            return BadUsername()
        own = person.username, person.email
        if not is_rooms_password(person.password) or self._parts.hasher.is_guessable(person.password, *own):
            return BadPassword()
        if not self._parts.gate.policy.accepts:
            return RegistrationClosed()
        if idempotency is None:
            return await self._register(person, None)
        if again := await self._register_again(person, idempotency):
            return again
        outcome = await self._register(person, idempotency)
        if isinstance(outcome, BadCaptcha | UsernameTaken | EmailTaken | InvitationRequired):
            # The same request may have come twice at once: the second finds the account of the first.
            return await self._register_again(person, idempotency) or outcome
        return outcome

    async def _register(
        self, person: NewPerson, idempotency: Idempotency | None
    ) -> SignedIn | BadCaptcha | Taken | Refused:
        username, email = person.username, person.email
        name, now = name_key(username), self._parts.clock.now()
        claim = self._parts.pepper.claim(contact_of_email(email), is_verified=False)
        who = Newcomer(
            claim=claim,
            invitation=invitation_hash(person.invitation),
            address=person.asker.address,
            username=username,
        )
        # Not before: a repetition has the answer of the first request, which has used up invitation and captcha.
        if refusal := await self._parts.gate.refusal(who):
            return refusal
        if not await is_passed(self._parts.captcha, person.answer):
            return BadCaptcha()
        # Checked before the costly hash; the unique keys decide when the row is written.
        if taken := await self._parts.store.look_up(
            lambda transaction: find_taken(transaction, name, claim.key, now)
        ):
            return taken[0]
        password_hash = await self._parts.hasher.hash(person.password)
        entry = await self._parts.gate.enter(who, username, "rooms", person.asker.language)
        new = NewAccount(
            username=username,
            email=email,
            origin="rooms",
            password_hash=password_hash,
            created_at=self._parts.clock.now(),
            contact=claim,
        )
        return await self._add(person, new, entry, idempotency)

    async def _add(
        self, person: NewPerson, new: NewAccount, entry: GateEntry, idempotency: Idempotency | None
    ) -> SignedIn | Taken | Refused:
        username, email, now = person.username, person.email, new.created_at
        key = self._parts.pepper.contact_key(contact_of_email(email))
        written = self._parts.addresses.write_mail(username, email, person.asker.language, person.link_base)

        async def work(transaction: Transaction) -> SignedIn | Taken | Refused:
            await transaction.lock(Lock.EMAIL, key)
            added = await add_account(transaction, new, entry=entry)
            if isinstance(added, Taken | Refused):
                return added
            if idempotency is not None:
                scope = sign_up_scope(name_key(username))
                await transaction.idempotency.take(scope, idempotency, now)
                await transaction.idempotency.keep(scope, idempotency.key, added)
            await self._parts.guard.remember(transaction, added, person.asker)
            await self._parts.addresses.send(transaction, added, written)
            return await self._parts.identity.issue(transaction, added, person.asker)

        return await self._parts.store.write(work)

    async def _register_again(
        self, person: NewPerson, idempotency: Idempotency
    ) -> SignedIn | SecondFactorRequired | IdempotencyConflict | TooManyRequests | None:
        """The answer to a repeated sign-up; None when this key made no account.

        The first token is stored only as a hash, so a repetition with the same password gets a new token.
        """

        async def look(transaction: Transaction) -> tuple[StoredAnswer, Account | None] | None:
            scope = sign_up_scope(name_key(person.username))
            stored = await transaction.idempotency.find(scope, idempotency.key, self._parts.clock.now())
            if stored is None or stored.answer is None:
                return None
            return stored, await transaction.accounts.by_id(AccountId(stored.answer))

        found = await self._parts.store.look_up(look)
        if found is None:
            return None
        stored, account = found
        if account is None or account.deleted_at is not None or stored.digest != idempotency.digest:
            return IdempotencyConflict()
        # The key may have been guessed together with the password.
        async with self._parts.guard.attempt(target_account(account.id), person.asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            if not await self._parts.hasher.verify(person.password, account.password_hash):
                return IdempotencyConflict()

            async def admit(transaction: Transaction) -> SignedIn | SecondFactorRequired:
                ticket = await self._parts.identity.ask_factor(transaction, account.id, "sign_in")
                # An account that waits gets a token as at first, which is good once it waits no more.
                if isinstance(ticket, SecondFactorRequired):
                    attempt.waive()
                    return ticket
                await attempt.succeed(transaction, account.id)
                return await self._parts.identity.issue(transaction, account.id, person.asker)

            return await self._parts.store.write(admit)
