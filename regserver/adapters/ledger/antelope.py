"""The ledger on an Antelope (EOSIO) chain: a `newaccount` transaction for every registration, and the journal beside it.

    look up → (known with these keys: done)
            → the stored submission until it expires, else a new one: build, sign, store
            → push → look up again until the account is there

A transaction is stored before it is pushed, and none is signed while the chain may still accept an earlier one. So a crash,
a lost answer and two calls at once all end in the same account. Two pairs of keys never race: while the chain may accept a
submission with other keys, the call fails and may be repeated.
"""

import msgspec
import trio

from regserver.adapters.ledger.antelope_format import (
    Action,
    Authorization,
    buy_ram,
    delegate,
    new_account,
    pack_header,
    pack_transaction,
    signing_digest,
    transaction_id,
)
from regserver.adapters.ledger.antelope_key import SigningKey, on_curve
from regserver.adapters.ledger.antelope_node import DUPLICATE, NAME_EXISTS, AntelopeNode, ChainAccount, Info
from regserver.adapters.ledger.embedded import EmbeddedLedger
from regserver.config.provider import LedgerAntelope
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.journal import JournalSeal, LedgerAccount
from regserver.domain.public_key import PublicKey, parse_public_key
from regserver.ports.ledger import LedgerFault, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.store import Store
from regserver.ports.submission_table import Submission
from regserver.ports.transaction import Transaction

SIGN_ATTEMPTS = 64
CONFIRM_ATTEMPTS = 8
MAX_EXPIRATION = 2**32
"""Seconds since 1970: a transaction has 32 bits for its end."""
CHECK_SECONDS = 2.0
BLOCK_TIME = Duration(500)
"""A node may not show an account before it is in a block."""


class AntelopeLedger(EmbeddedLedger):
    """node: receives the transactions. key: of the account that creates the others. pause: between two look-ups."""

    outer = True

    def __init__(
        self,
        seal: JournalSeal,
        store: Store,
        node: AntelopeNode,
        key: SigningKey,
        settings: LedgerAntelope,
        pause: Duration = BLOCK_TIME,
    ) -> None:
        super().__init__(seal)
        self._store = store
        self._node = node
        self._key = key
        self._settings = settings
        self._pause = pause

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """Creates the account on the chain unless it exists. Raises LedgerFault; then it may be called again."""
        if (known := await self._look_up(account)) is not None:
            return known
        submission = await self._submission(account)
        refused = await self._node.push(submission.signed)
        if refused is not None and refused.code not in {DUPLICATE, NAME_EXISTS}:
            raise LedgerFault(f"push_transaction: refused with {refused.code} {refused.name[:80]}")
        for _ in range(CONFIRM_ATTEMPTS):
            if (known := await self._look_up(account)) is not None:
                return known
            await trio.sleep(self._pause.seconds)
        raise LedgerFault("the transaction was pushed and the account is not there yet")

    async def check(self) -> str | None:
        """The node's fault, for the readiness check; None when it answers within CHECK_SECONDS."""
        try:
            with trio.fail_after(CHECK_SECONDS):
                self._check_chain(await self._node.info())
        except LedgerFault as fault:
            return str(fault)
        except trio.TooSlowError:
            return f"get_info: no answer in {CHECK_SECONDS:g} s"
        return None

    async def _look_up(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten | None:
        """The state of the name on the chain; None when there is no such account."""
        found = await self._node.account(account.user_id)
        if found is None:
            return None
        name = account.user_id
        stored = await self._store.read(lambda transaction: transaction.submissions.by_user_id(name))
        if _has_keys(found, account.owner_key, account.active_key):
            return Settled(stored.transaction_id if stored else "")
        ours = stored is not None and _has_keys(found, stored.owner_key, stored.active_key)
        return OtherKeysWritten() if ours else NameOccupied()

    async def _submission(self, account: LedgerAccount) -> Submission:
        """The stored submission to push for this account: an earlier one, or a new one."""
        info = await self._node.info()
        self._check_chain(info)
        try:
            now, fresh = info.now, self._sign(account, info)
        except ValueError:
            raise LedgerFault("get_info: the node's answer cannot be read") from None

        async def work(transaction: Transaction) -> Submission | None:
            stored = await transaction.submissions.offer(fresh, now)
            return stored if _same_keys(stored, account) else None

        submission = await self._store.write(work)
        if submission is None:
            raise LedgerFault("an earlier transaction with other keys may still be taken")
        return submission

    def _check_chain(self, info: Info) -> None:
        """Raises LedgerFault when the node is on another chain than the configured one."""
        pinned = self._settings.chain_id
        if pinned and info.chain_id.lower() != pinned:
            raise LedgerFault("get_info: the node is on another chain than ledger.antelope.chain_id")

    def _sign(self, account: LedgerAccount, info: Info) -> Submission:
        """Signs with one expiration after the other, a second apart, until a signature is canonical. Raises ValueError."""
        actions, chain = self._actions(account), bytes.fromhex(info.chain_id)
        block = bytes.fromhex(info.last_irreversible_block_id)
        if len(chain) != 32 or len(block) != 32:
            raise ValueError("not the ids of a chain and a block")
        first = after(info.now, self._settings.expiration) // 1000
        if not 0 < first < MAX_EXPIRATION - SIGN_ATTEMPTS:
            raise ValueError("a time that no transaction can have")
        for expiration in range(first, first + SIGN_ATTEMPTS):
            packed = pack_transaction(pack_header(block, expiration), actions)
            signature = self._key.sign(signing_digest(chain, packed))
            if signature is not None:
                return Submission(
                    user_id=account.user_id,
                    owner_key=account.owner_key,
                    active_key=account.active_key,
                    transaction_id=transaction_id(packed),
                    signed=_body(packed, signature),
                    expires_at=Instant(expiration * 1000),
                )
        raise LedgerFault("no canonical signature came out")

    def _actions(self, account: LedgerAccount) -> list[Action]:
        settings, system, name = self._settings, self._settings.contract, account.user_id
        creator = Authorization(settings.creator, settings.permission)
        owner, active = _key(account.owner_key), _key(account.active_key)
        actions = [new_account(system, creator, name, owner, active)]
        if settings.ram_bytes:
            actions.append(buy_ram(system, creator, name, settings.ram_bytes))
        if settings.stake_net and settings.stake_cpu:
            actions.append(delegate(system, creator, name, settings.stake_net, settings.stake_cpu))
        return actions


def _body(packed: bytes, signature: str) -> bytes:
    """The body of push_transaction."""
    content = {"signatures": [signature], "compression": 0, "packed_context_free_data": ""}
    return msgspec.json.encode(content | {"packed_trx": packed.hex()})


def _key(text: str) -> PublicKey:
    key = parse_public_key(text, on_curve)
    if key is None:
        raise LedgerFault("a public key of the account cannot be read")
    return key


def _same_keys(submission: Submission, account: LedgerAccount) -> bool:
    return (submission.owner_key, submission.active_key) == (account.owner_key, account.active_key)


def _has_keys(found: ChainAccount, owner: str, active: str) -> bool:
    """Whether each permission has exactly this one key and no other account. A node may write keys in either form."""

    def is_held_by(permission: str, key: str) -> bool:
        keys = [parse_public_key(text, on_curve) for text in found.keys_of(permission)]
        return keys == [_key(key)] and not found.is_shared(permission)

    return is_held_by("owner", owner) and is_held_by("active", active)
