"""A person changes their password, or sets a first one, while signed in.

The session that asks stays, and all that `regserver.domain.ending` says ends. An account whose password is the data
source's has none to change here.
"""

import msgspec

from regserver.domain.account import Account
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Instant
from regserver.domain.outcome import BadCredentials, BadPassword, PasswordAtSource, Refusal
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.mail_template import MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.transaction import Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.asker import Asker
from regserver.service.identity_service import IdentityService, Unidentified
from regserver.service.outbox import Outbox
from regserver.service.own_password import has_own_password, is_new_password, tell_password_changed
from regserver.service.reauthentication import PersonProof, ProofRefusal, Reauthentication

PasswordChangeRefusal = ProofRefusal | BadPassword | PasswordAtSource


class PasswordChangeParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the service works with."""

    identity: IdentityService
    again: Reauthentication
    hasher: PasswordHasher
    outbox: Outbox
    mail_templates: MailTemplates
    broker: Broker


class PasswordChange:
    """The use case of POST /login/password."""

    def __init__(self, parts: PasswordChangeParts) -> None:
        self._parts = parts

    async def change(
        self, token: SecretHash, password: str | None, new: str, asker: Asker
    ) -> PasswordChangeRefusal | None:
        """Replaces the password of the token's account. password: the old one; None where there is none.

        A refusal changes nothing. Raises StoreFault.
        """
        refusal = await self._parts.identity.read(token, _own)
        if refusal is not None:
            return refusal
        async with self._parts.again.prove(token, password, asker) as proof:
            if isinstance(proof, Refusal):
                return proof
            if not is_new_password(self._parts.hasher, new, proof.account):
                return BadPassword()
            outcome = await self._replace(token, proof, await self._parts.hasher.hash(new))
        if isinstance(outcome, Refusal):
            return outcome
        close_sockets_nowait(self._parts.broker, outcome)
        return None

    async def _replace(
        self, token: SecretHash, proof: PersonProof, new_hash: str
    ) -> EndedSessions | BadCredentials | Unidentified:
        parts = self._parts

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> EndedSessions | BadCredentials:
            if (refusal := await proof.settle(transaction, account)) is not None:
                return refusal
            known = account.password_hash or ""
            if not await transaction.accounts.renew_password_hash(account.id, known, new_hash, now):
                return BadCredentials()
            await tell_password_changed(transaction, account, parts.mail_templates, parts.outbox)
            return await end_outstanding(transaction, AccountEvent.PASSWORD_CHANGED, account.id, token)

        return await parts.identity.write_locked(token, act)


async def _own(transaction: Transaction, account: Account, _now: Instant) -> PasswordAtSource | None:
    return None if await has_own_password(transaction, account) else PasswordAtSource()
