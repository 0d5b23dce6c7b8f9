"""What operators are shown of keys and the audit."""

from typing import Annotated, ClassVar

import msgspec

from regserver.domain.audit import AuditRow
from regserver.domain.instant import iso_seconds
from regserver.domain.operator_key import StoredKey
from regserver.web.admin.ask import KeyNameField, RoleField
from regserver.web.admin.show import CountNumber, PlainText, RowNumber, WordText
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import TimeField, UserIdField, described


class KeyBody(msgspec.Struct, frozen=True, rename="camel"):
    """A key without its secret."""

    name: KeyNameField
    role: RoleField
    created_at: TimeField


class KeyList(JsonAnswer, frozen=True):
    """All operator keys, by name."""

    keys: tuple[KeyBody, ...]


class KeyAdded(JsonAnswer, frozen=True):
    """A new key, which is shown this once."""

    http_status: ClassVar[int] = 201

    name: KeyNameField
    role: RoleField
    key: Annotated[str, described("The key itself.", "regs_op_0123abcd")]


def key_list(keys: tuple[StoredKey, ...]) -> KeyList:
    """All of them."""
    return KeyList(tuple(KeyBody(key.name, key.role, iso_seconds(key.created_at)) for key in keys))


class AuditBody(msgspec.Struct, frozen=True):
    """What was done, by whom, to which account or other thing."""

    number: RowNumber
    at: TimeField
    actor: Annotated[str, described("client, server, a key or a command.", "key anna")]
    action: WordText
    outcome: Annotated[str, described("done, or why not.", "done")]
    account: UserIdField | None
    subject: PlainText
    network: Annotated[str, described("An IPv4 /24 or IPv6 /48; empty if unknown.", "192.0.2.0/24")]


class AuditPage(JsonAnswer, frozen=True):
    """Rows of the audit, the newest first."""

    rows: tuple[AuditBody, ...]


def audit_page(rows: tuple[AuditRow, ...]) -> AuditPage:
    """Rows as operators see them."""
    return AuditPage(
        tuple(
            AuditBody(
                row.number,
                iso_seconds(row.at),
                row.actor,
                row.action,
                row.outcome,
                row.account_id,
                row.subject,
                row.network,
            )
            for row in rows
        )
    )


class AuditVerified(JsonAnswer, frozen=True):
    """Whether every row is as it was written; else which is not. head: the last hash, to be kept elsewhere."""

    whole: bool
    rows: CountNumber
    trimmed: CountNumber
    head: Annotated[str, described("A hash in hex.", "00ff")]
    detail: PlainText
