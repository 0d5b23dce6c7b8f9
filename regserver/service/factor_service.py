"""The authenticator app of an account with its recovery codes, and the second step of a sign-in.

    enrol → confirm → on → remove         by the account's person; `regserver.domain.factor` draws it
    a right password → ticket             by IdentityService.ask_factor, at whatever door
    ticket + code → session               here

Every code, of an app or for recovery, is a guess at the account and counts in its one counter. A wrong one does not use up
the ticket; a right one works once, since it is taken in the transaction that signs in.
"""

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.factor import (
    RECOVERY_CODE_BYTES,
    RECOVERY_CODES,
    TOTP_SECRET_BYTES,
    FactorTicket,
    RecoveryHasher,
    Totp,
    is_totp_code,
    normal_code,
    recovery_code,
)
from regserver.domain.instant import Duration, Instant
from regserver.domain.outcome import (
    BadCode,
    BadCredentials,
    BadToken,
    FactorExists,
    TooManyRequests,
    UserIsDeleted,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.clock import Clock
from regserver.ports.passkey_table import Passkey
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.totp_method import Enrolment, TotpMethod
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import deletion_refusal, restore_locked
from regserver.service.account_ending import EndedSessions
from regserver.service.asker import Asker
from regserver.service.factor_change import FactorChange
from regserver.service.factor_seal import FactorSeal
from regserver.service.guess_guard import Attempt, GuessGuard
from regserver.service.guess_target import target_account
from regserver.service.identity_service import IdentityService, SignedIn, Unidentified

FactorRefusal = BadCode | BadToken | UserIsDeleted | TooManyRequests


class Factors(msgspec.Struct, frozen=True):
    """What an account has. totp: whether an app is on. recovery_codes: how many are left."""

    totp: bool
    recovery_codes: int
    passkeys: tuple[Passkey, ...]


class FactorParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with. grace: how long a deleted account can be restored."""

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    guard: GuessGuard
    hasher: PasswordHasher
    method: TotpMethod
    seal: FactorSeal
    recovery: RecoveryHasher
    change: FactorChange
    grace: Duration


class FactorService:
    """See the module."""

    def __init__(self, parts: FactorParts) -> None:
        self._parts = parts

    # --- what an account has
    async def list(self, token: SecretHash) -> Factors | Unidentified:
        """The second factors and passkeys of the token's account."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> Factors:
            totp = await transaction.factors.totp(account.id)
            is_on = totp is not None and totp.enabled_at is not None
            left = await transaction.factors.codes_left(account.id)
            return Factors(is_on, left, await transaction.passkeys.of_account(account.id))

        return await self._parts.identity.look_up(token, act)

    async def enrol(self, token: SecretHash) -> Enrolment | FactorExists | Unidentified:
        """A new secret, which replaces one that waits for its first code."""
        parts = self._parts
        secret = parts.method.secret(parts.randomness.bytes(TOTP_SECRET_BYTES))

        async def act(transaction: Transaction, account: Account, _now: Instant) -> str | FactorExists:
            sealed = parts.seal.seal(account.id, secret)
            begun = await transaction.factors.begin_totp(account.id, sealed)
            return account.username if begun else FactorExists()

        outcome = await parts.identity.write(token, act)
        return parts.method.enrolment(secret, outcome) if isinstance(outcome, str) else outcome

    async def confirm(
        self, token: SecretHash, code: str, asker: Asker
    ) -> tuple[str, ...] | BadCode | FactorExists | TooManyRequests | Unidentified:
        """Switches the app on with a first right code; the recovery codes, which are shown this once."""
        account = await self._account(token)
        if not isinstance(account, Account):
            return account
        draw = self._parts.randomness.bytes
        codes = tuple(recovery_code(draw(RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES))
        async with self._parts.guard.attempt(target_account(account.id), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt

            async def act(
                transaction: Transaction, account: Account, now: Instant
            ) -> EndedSessions | BadCode | FactorExists:
                totp = await transaction.factors.totp(account.id)
                if totp is not None and totp.enabled_at is not None:
                    attempt.waive()
                    return FactorExists()
                step = self._step(account.id, totp, code, now)
                if totp is None or step is None:
                    return BadCode()
                if not await transaction.factors.enable_totp(account.id, totp.sealed, step, now):
                    return BadCode()
                hashes = [self._parts.recovery.of(account.id, normal_code(code)) for code in codes]
                await transaction.factors.replace_codes(account.id, hashes)
                await attempt.succeed(transaction, account.id)
                return await self._parts.change.note(transaction, account, token, "totp_on")

            outcome = await self._parts.identity.write_locked(token, act)
            if not isinstance(outcome, EndedSessions):
                return outcome
            self._parts.change.close_nowait(outcome)
            return codes

    async def remove(
        self, token: SecretHash, password: str, asker: Asker
    ) -> BadCredentials | TooManyRequests | Unidentified | None:
        """Switches the app off, with the account's password; does nothing where there is none.

        An account without a password gives a code of the app or for recovery in its place.
        """
        account = await self._account(token)
        if not isinstance(account, Account):
            return account
        async with self._parts.guard.attempt(target_account(account.id), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            known = account.password_hash
            if known is not None and not await self._parts.hasher.verify(password, known):
                return BadCredentials()

            async def act(
                transaction: Transaction, account: Account, now: Instant
            ) -> BadCredentials | EndedSessions | None:
                if account.password_hash != known:
                    return BadCredentials()
                if known is None and not await self._use(transaction, account.id, password, now):
                    return BadCredentials()
                await attempt.succeed(transaction, account.id)
                if not await transaction.factors.remove_totp(account.id):
                    return None
                return await self._parts.change.note(transaction, account, token, "totp_off")

            removed = await self._parts.identity.write_locked(token, act)
            if not isinstance(removed, EndedSessions):
                return removed
            self._parts.change.close_nowait(removed)
            return None

    # --- the second step of a sign-in
    async def sign_in(self, ticket: str, code: str, asker: Asker) -> SignedIn | FactorRefusal:
        """A token for a ticket and a code. BadToken: the ticket was used, has expired, or was never one."""
        secret, now = hash_secret(ticket), self._parts.clock.now()
        found = await self._parts.store.look_up(lambda transaction: transaction.factors.ticket(secret, now))
        if found is None:
            return BadToken()
        async with self._parts.guard.attempt(target_account(found.account), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            return await self._parts.store.write(
                lambda transaction: self._sign_in(transaction, attempt, secret, found, code)
            )

    async def _sign_in(
        self, transaction: Transaction, attempt: Attempt, secret: SecretHash, found: FactorTicket, code: str
    ) -> SignedIn | BadCode | BadToken | UserIsDeleted:
        """One unit. The lock comes first, so that of two codes with one ticket the second is not used up."""
        account, now = found.account, self._parts.clock.now()
        await transaction.lock(Lock.ACCOUNT, account)
        if await transaction.factors.ticket(secret, now) is None:
            attempt.waive()
            return BadToken()
        current = await transaction.accounts.by_id(account)
        restores = found.purpose == "restore"
        refusal = deletion_refusal(current, self._parts.grace, now, restores=restores)
        if refusal is not None:
            attempt.waive()
            return refusal
        if not await self._use(transaction, account, code, now):
            return BadCode()
        await transaction.factors.take_ticket(secret)
        if current is not None and current.deleted_at is not None:
            await restore_locked(transaction, account, now)
        await attempt.succeed(transaction, account)
        return await self._parts.identity.issue(transaction, account, attempt.asker)

    # --- codes
    async def _use(self, transaction: Transaction, account: AccountId, typed: str, now: Instant) -> bool:
        """Takes a code, of the app or for recovery; False when it is wrong or was taken before."""
        code = normal_code(typed)
        if not is_totp_code(code):
            return await transaction.factors.use_code(account, self._parts.recovery.of(account, code))
        step = self._step(account, await transaction.factors.totp(account), code, now)
        return step is not None and await transaction.factors.use_step(account, step)

    def _step(self, account: AccountId, totp: Totp | None, code: str, now: Instant) -> int | None:
        secret = None if totp is None else self._parts.seal.open(account, totp.sealed)
        return None if secret is None else self._parts.method.step(secret, normal_code(code), now)

    async def _account(self, token: SecretHash) -> Account | Unidentified:
        async def act(_transaction: Transaction, account: Account, _now: Instant) -> Account:
            return account

        return await self._parts.identity.look_up(token, act)
