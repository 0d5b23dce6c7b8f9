"""The audit: what was done to accounts, keys and invitations, and every sign-in, as rows whose hashes form a chain.

    anchor ◀── row ◀── row ◀── … ◀── row ═ head

The hash of a row covers its number, its content and the hash before it. The head covers the last row, so that rows at the end
cannot vanish; the anchor covers the last row that was trimmed. All are keyed: nobody without the server's key can compute them.
Somebody who may write the database can still put back an older state as a whole; only a head that is stored elsewhere proves
against that.

A row names accounts by their numbers and says nothing else of a person but a network. That is covered by a digest with a
random salt. Where the account is erased, network and salt go, the digest stays, and the chain holds.
"""

import hmac
from collections.abc import Callable
from typing import Literal, NewType

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Instant

AuditHash = NewType("AuditHash", bytes)
START = AuditHash(bytes(32))
"""The hash before the first row."""
SALT_BYTES = 16
DONE = "done"
"""The outcome of what was not refused."""

AuditAction = Literal[
    "sign_in",
    "account_made",
    "contact_verified",
    "account_approved",
    "account_renamed",
    "account_resumed",
    "account_erased",
    "password_set",
    "reset_link_made",
    "token_made",
    "invitation_made",
    "invitation_used",
    "invitation_revoked",
    "key_made",
    "key_revoked",
    "link_made",
    "page_entered",
    "post_removed",
    "room_closed",
    "member_removed",
    "mail_sent_again",
    "mail_tested",
    "steps_unlocked",
    "webhook_added",
    "webhook_tested",
    "webhook_disabled",
    "webhook_enabled",
    "webhook_replayed",
    "webhook_removed",
    "limit_lifted",
    "settings_reloaded",
    "session_ended",
    "signed_out_everywhere",
    "password_changed",
    "password_changed_at_source",
    "recovered",
    "email_changed",
    "email_undone",
    "factor_changed",
    "suspended",
    "deleted",
    "restored",
]
"""What can be done; the last ones are the events of `regserver.domain.ending`."""

EVENT_ACTIONS: dict[AccountEvent, AuditAction] = {
    AccountEvent.SESSION_ENDED: "session_ended",
    AccountEvent.SIGNED_OUT_EVERYWHERE: "signed_out_everywhere",
    AccountEvent.PASSWORD_CHANGED: "password_changed",
    AccountEvent.PASSWORD_CHANGED_AT_SOURCE: "password_changed_at_source",
    AccountEvent.RECOVERED: "recovered",
    AccountEvent.EMAIL_CHANGED: "email_changed",
    AccountEvent.EMAIL_UNDONE: "email_undone",
    AccountEvent.FACTOR_CHANGED: "factor_changed",
    AccountEvent.SUSPENDED: "suspended",
    AccountEvent.DELETED: "deleted",
    AccountEvent.RESTORED: "restored",
}

assert set(EVENT_ACTIONS) == set(AccountEvent)  # noqa: S101  (the table is complete)

_encode = msgspec.json.Encoder().encode


class AuditNote(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. account: to whom; None where nobody is known. subject: to what else, as "invitation 5"; never a name of a
    person, a secret or a content. outcome: DONE, or the name of the refusal.
    """

    action: AuditAction
    account: AccountId | None = None
    subject: str = ""
    outcome: str = DONE


PLACELESS: frozenset[AuditAction] = frozenset({"account_erased"})
"""Actions whose network is not kept: nothing of an erased person is, and it may be the person who asks for it."""


class AuditOrigin(msgspec.Struct, frozen=True):
    """actor: "client", "server", "key NAME" or "command USER". network: coarse, "" where there is none."""

    actor: str
    network: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """A note in its place in the chain. number: from 1 without gaps. salt: None once the account is erased."""

    number: int
    at: Instant
    actor: str
    action: str
    outcome: str
    account_id: AccountId | None
    subject: str
    network: str
    salt: bytes | None
    digest: bytes
    hash: AuditHash


class AuditMark(msgspec.Struct, frozen=True):
    """An end of the chain: a row's number and hash, 0 and START before the first."""

    number: int
    hash: AuditHash
    seal: bytes


class AuditChain:
    """key: 32 bytes for the audit alone, the same on every node."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def following(
        self, mark: AuditMark | None, note: AuditNote, origin: AuditOrigin, at: Instant, salt: bytes
    ) -> AuditRow:
        """The row after the head."""
        number, previous = _end(mark)
        row = AuditRow(
            number=number + 1,
            at=at,
            actor=origin.actor,
            action=note.action,
            outcome=note.outcome,
            account_id=note.account,
            subject=note.subject,
            network=origin.network,
            salt=salt,
            digest=self._digest(salt, origin.network),
            hash=START,
        )
        return msgspec.structs.replace(row, hash=self._hash(row, previous))

    def mark(self, name: Literal["head", "anchor"], row: AuditRow | AuditMark) -> AuditMark:
        """The end of the chain at this row."""
        content = _encode([name, row.number]) + row.hash
        return AuditMark(row.number, row.hash, hmac.digest(self._key, content, "sha256"))

    def fault_of(
        self, row: AuditRow, last: AuditRow | AuditMark | None, is_erased: Callable[[AuditRow], bool]
    ) -> str | None:
        """The fault of a row that should follow `last`, for the operator; None when there is none."""
        number, previous = _end(last)
        if row.number != number + 1:
            return f"row {number + 1} is missing"
        if not hmac.compare_digest(row.hash, self._hash(row, previous)):
            return f"row {row.number} was changed"
        if row.salt is None:
            emptied = not row.network and is_erased(row)
            return None if emptied else f"row {row.number} was emptied by somebody else"
        right = hmac.compare_digest(row.digest, self._digest(row.salt, row.network))
        return None if right else f"row {row.number} was changed"

    def fault_of_marks(
        self, anchor: AuditMark | None, head: AuditMark | None, last: AuditRow | AuditMark | None
    ) -> str | None:
        """The fault of the ends, `last` being the last row, or the anchor where there is none."""
        if anchor is not None and not hmac.compare_digest(anchor.seal, self.mark("anchor", anchor).seal):
            return "the seal of the last trimmed row is not of this server's key"
        if head is None:
            return None if last is None else "the seal of the last row is missing"
        if not hmac.compare_digest(head.seal, self.mark("head", head).seal):
            return "the seal of the last row is not of this server's key"
        number, last_hash = _end(last)
        if number < head.number:
            return f"row {number + 1} is missing: there were {head.number} rows"
        return None if (number, last_hash) == (head.number, head.hash) else f"row {number} was not sealed"

    def _digest(self, salt: bytes, network: str) -> bytes:
        return hmac.digest(self._key, b"network" + salt + network.encode(), "sha256")

    def _hash(self, row: AuditRow, previous: AuditHash) -> AuditHash:
        who = [row.number, row.at, row.actor, row.action, row.outcome, row.account_id, row.subject]
        return AuditHash(hmac.digest(self._key, previous + row.digest + _encode(who), "sha256"))


def _end(last: AuditRow | AuditMark | None) -> tuple[int, AuditHash]:
    return (0, START) if last is None else (last.number, last.hash)
