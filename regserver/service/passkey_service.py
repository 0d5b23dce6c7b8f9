"""Passkeys of an account: add, remove, sign in.

    options (token) → the browser asks the authenticator → add          the account has one more
    challenge       → the browser asks the authenticator → sign_in      a session: a passkey is both factors

Nothing is kept for a challenge until it was answered rightly. Passkeys cannot be guessed, so wrong answers are not counted at
the account, and nobody can keep the owner out by them.
"""

import logging
from collections.abc import Callable

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import (
    BadPasskey,
    PasskeyNotFound,
    PasskeyRefused,
    RecentSignInRequired,
    Refusal,
    UserIsDeleted,
)
from regserver.domain.passkey import (
    CHALLENGE_NONCE_BYTES,
    MOST_PASSKEYS,
    NOBODY,
    ChallengePurpose,
    ChallengeSeal,
    PasskeySite,
)
from regserver.domain.secret import SecretHash, hash_bytes
from regserver.ports.clock import Clock
from regserver.ports.passkey_table import NewPasskey, Passkey, PasskeyId, StoredPasskey
from regserver.ports.passkey_verifier import PasskeyFault, PasskeyVerifier, WebAuthnJson
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions
from regserver.service.asker import Asker
from regserver.service.factor_change import FactorChange
from regserver.service.guess_guard import GuessGuard
from regserver.service.identity_service import IdentityService, SignedIn, Unidentified
from regserver.service.reauthentication import ProofRefusal, Reauthentication, is_recent_sign_in

log = logging.getLogger("regserver.passkey")


NO_PAGE = "Passkeys need a page on https, which server.public_url names, or on localhost; an IP address will not do."
SUSPENDED = "the account is suspended"
BAD_CHALLENGE = "The challenge is none of ours for this, was answered before, or is older than 5 minutes."
UNKNOWN = "No account here has this passkey."
TOO_MANY = f"An account has at most {MOST_PASSKEYS} passkeys."
KNOWN = "An account has this passkey already."
COUNTER = "The authenticator's counter went back: it may have been copied."


class PasskeyParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with."""

    store: Store
    clock: Clock
    randomness: Randomness
    identity: IdentityService
    guard: GuessGuard
    again: Reauthentication
    verifier: Callable[[], PasskeyVerifier]
    seal: ChallengeSeal
    change: FactorChange


class PasskeyService:
    """See the module. site: None where no passkey can work."""

    def __init__(self, parts: PasskeyParts) -> None:
        self._parts = parts

    # --- adding and removing
    async def options(
        self, token: SecretHash, site: PasskeySite | None, password: str | None, asker: Asker
    ) -> WebAuthnJson | BadPasskey | ProofRefusal:
        """What a browser makes a passkey of the token's account with.

        Whoever has found a token shall not make a way in that outlives it: the session must come from a sign-in of the last
        minutes, or the password is needed. password: None sends none.
        """

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> tuple[Account, tuple[bytes, ...], bool]:
            is_recent = await is_recent_sign_in(transaction, token, now)
            return account, await transaction.passkeys.credentials(account.id), is_recent

        if site is None:
            return BadPasskey(NO_PAGE)
        found = await self._parts.identity.look_up(token, act)
        if not isinstance(found, tuple):
            return found
        account, known, is_recent = found
        if not is_recent:
            if password is None:
                return RecentSignInRequired()
            async with self._parts.again.prove(token, password, asker) as proof:
                if isinstance(proof, Refusal):
                    return proof
        challenge = self._challenge("add", account.id)
        handle = self._parts.seal.handle(account.id)
        return self._parts.verifier().creation_options(site, handle, account.username, challenge, known)

    async def add(
        self, token: SecretHash, site: PasskeySite | None, answer: WebAuthnJson, name: str
    ) -> Passkey | BadPasskey | Unidentified:
        """Adds the passkey that the browser has made. name: as its owner calls it."""
        if site is None:
            return BadPasskey(NO_PAGE)
        verifier = self._parts.verifier()
        try:
            challenge = verifier.challenge_of(answer)
            candidate = verifier.verify_new(site, answer, challenge)
        except PasskeyFault as fault:
            return BadPasskey(str(fault))

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> tuple[Passkey, EndedSessions] | BadPasskey:
            expires_at = self._parts.seal.open(challenge, "add", account.id, now)
            used = hash_bytes(challenge)
            if expires_at is None or not await transaction.passkeys.use_challenge(used, expires_at):
                return BadPasskey(BAD_CHALLENGE)
            new = NewPasskey(
                credential=candidate.credential,
                account=account.id,
                public_key=candidate.public_key,
                sign_count=candidate.sign_count,
                name=name,
                created_at=now,
            )
            added = await add_passkey(transaction, new)
            if isinstance(added, BadPasskey):
                return added
            return added, await self._parts.change.note(transaction, account, token, "passkey_added")

        outcome = await self._parts.identity.write_locked(token, act)  # the passkey outlives the token
        if not isinstance(outcome, tuple):
            return outcome
        self._parts.change.close_nowait(outcome[1])
        return outcome[0]

    async def remove(
        self, token: SecretHash, passkey: PasskeyId | None
    ) -> PasskeyNotFound | Unidentified | None:
        """Removes one of the token's account."""

        async def act(
            transaction: Transaction, account: Account, _now: Instant
        ) -> EndedSessions | PasskeyNotFound:
            if passkey is None or not await transaction.passkeys.remove(account.id, passkey):
                return PasskeyNotFound()
            return await self._parts.change.note(transaction, account, token, "passkey_removed")

        outcome = await self._parts.identity.write_locked(token, act)
        if not isinstance(outcome, EndedSessions):
            return outcome
        self._parts.change.close_nowait(outcome)
        return None

    # --- signing in
    def request(self, site: PasskeySite | None) -> WebAuthnJson | PasskeyRefused:
        """What a browser asks for a passkey with, whosever it is."""
        if site is None:
            return PasskeyRefused(NO_PAGE)
        return self._parts.verifier().request_options(site, self._challenge("sign_in", NOBODY))

    async def sign_in(
        self, site: PasskeySite | None, answer: WebAuthnJson, asker: Asker
    ) -> SignedIn | PasskeyRefused | UserIsDeleted:
        """A token of the account whose passkey has answered. Raises StoreFault."""
        if site is None:
            return PasskeyRefused(NO_PAGE)
        parts = self._parts
        try:
            claimed = parts.verifier().claimed(answer)
            expires_at = parts.seal.open(claimed.challenge, "sign_in", NOBODY, parts.clock.now())
            if expires_at is None:
                return PasskeyRefused(BAD_CHALLENGE)
            found = await parts.store.look_up(lambda it: it.passkeys.by_credential(claimed.credential))
            if found is None or claimed.user_handle not in {b"", parts.seal.handle(found.account)}:
                return PasskeyRefused(UNKNOWN)
            count = parts.verifier().verify(site, claimed, found.public_key)
        except PasskeyFault as fault:
            return PasskeyRefused(str(fault))
        used = hash_bytes(claimed.challenge)
        return await parts.store.write(
            lambda transaction: self._admit(transaction, found, count, (used, expires_at), asker)
        )

    async def _admit(
        self,
        transaction: Transaction,
        passkey: StoredPasskey,
        count: int,
        challenge: tuple[SecretHash, Instant],
        asker: Asker,
    ) -> SignedIn | PasskeyRefused | UserIsDeleted:
        # What ends all sessions and removes the passkey comes before or after the whole of this.
        await transaction.lock(Lock.ACCOUNT, passkey.account)
        account = await transaction.accounts.by_id(passkey.account)
        if account is None or account.deleted_at is not None:
            return UserIsDeleted()
        if account.suspended_at is not None:
            return PasskeyRefused(SUSPENDED)
        if not await transaction.passkeys.use_challenge(*challenge):
            return PasskeyRefused(BAD_CHALLENGE)
        if not await transaction.passkeys.use(passkey.id, count, self._parts.clock.now()):
            return await self._refuse(transaction, account, passkey)
        await self._parts.guard.remember(transaction, account.id, asker)
        return await self._parts.identity.issue(transaction, account.id, asker)

    async def _refuse(
        self, transaction: Transaction, account: Account, passkey: StoredPasskey
    ) -> PasskeyRefused:
        """The passkey is gone, or its counter went back, which its owner has to know."""
        if all(known.id != passkey.id for known in await transaction.passkeys.of_account(account.id)):
            return PasskeyRefused(UNKNOWN)
        log.warning("account %d: the counter of passkey %d went back, refused", account.id, passkey.id)
        await self._parts.change.tell(transaction, account, "passkey_copied")
        return PasskeyRefused(COUNTER)

    def _challenge(self, purpose: ChallengePurpose, account: AccountId) -> bytes:
        parts = self._parts
        nonce = parts.randomness.bytes(CHALLENGE_NONCE_BYTES)
        return parts.seal.issue(purpose, account, parts.clock.now(), nonce)


async def add_passkey(transaction: Transaction, new: NewPasskey) -> Passkey | BadPasskey:
    """Writes a passkey, unless the account has enough of them, or the credential is somebody's.

    The caller holds Lock.ACCOUNT.
    """
    if len(await transaction.passkeys.credentials(new.account)) >= MOST_PASSKEYS:
        return BadPasskey(TOO_MANY)
    if not await transaction.passkeys.add(new):
        return BadPasskey(KNOWN)
    return (await transaction.passkeys.of_account(new.account))[-1]
