"""The audit as operators read it, and its verification."""

from functools import partial

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.audit import START, AuditChain, AuditMark, AuditRow
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.ports.audit_table import AuditFilter
from regserver.ports.transaction import Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit

PAGE = 500


class AuditWhole(msgspec.Struct, frozen=True):
    """Every row is as it was written. trimmed: how many came before. head: the last hash, in hex; stored elsewhere, it proves
    later that no row was rewritten.
    """

    rows: int
    trimmed: int
    head: str


class AuditBroken(msgspec.Struct, frozen=True):
    """detail: the first wrong row and its fault."""

    detail: str


class _Piece(msgspec.Struct, frozen=True):
    """Some rows with the ends of the chain at the same moment. erased: those of their accounts that are."""

    rows: tuple[AuditRow, ...]
    anchor: AuditMark | None
    head: AuditMark | None
    erased: frozenset[AccountId]


class AuditDesk:
    """The use cases of the audit."""

    def __init__(self, unit: OperatorUnit, chain: AuditChain) -> None:
        self._unit = unit
        self._chain = chain

    async def newest(
        self, who: OperatorCredential, wanted: AuditFilter, limit: int
    ) -> tuple[AuditRow, ...] | Denied:
        """The newest rows, the newest first. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[AuditRow, ...]:
            return await transaction.audit.newest(wanted, limit)

        return await self._unit.read(who, Operation.READ_AUDIT, act)

    async def verify(self, who: OperatorCredential) -> AuditWhole | AuditBroken | Denied:
        """Verifies the whole chain, page by page, each in a unit of its own; what is written meanwhile is verified too.
        Raises StoreFault.
        """
        last: AuditRow | AuditMark | None = None
        count = 0
        while True:
            after = 0 if last is None else last.number
            piece = await self._unit.read(who, Operation.READ_AUDIT, partial(_piece, after))
            if isinstance(piece, Refusal):
                return piece
            if piece.anchor is not None and piece.anchor.number > after:
                last = piece.anchor  # the first one, or trimmed meanwhile
                piece = msgspec.structs.replace(
                    piece, rows=tuple(row for row in piece.rows if row.number > last.number)
                )
            for row in piece.rows:
                if fault := self._chain.fault_of(row, last, lambda row: row.account_id in piece.erased):  # noqa: B023
                    return AuditBroken(fault)
                last, count = row, count + 1
            if not piece.rows:
                return self._ended(piece, last, count)

    def _ended(
        self, piece: _Piece, last: AuditRow | AuditMark | None, count: int
    ) -> AuditWhole | AuditBroken:
        if fault := self._chain.fault_of_marks(piece.anchor, piece.head, last):
            return AuditBroken(fault)
        trimmed = 0 if piece.anchor is None else piece.anchor.number
        return AuditWhole(count, trimmed, (START if last is None else last.hash).hex())


async def _piece(after: int, transaction: Transaction, _now: Instant) -> _Piece:
    rows = await transaction.audit.page(after, PAGE)
    anchor, head = await transaction.audit.marks()
    erased = set()
    for number in {row.account_id for row in rows if row.salt is None}:
        account = None if number is None else await transaction.accounts.by_id(number)
        if account is not None and account.erased_at is not None:
            erased.add(account.id)
    return _Piece(rows, anchor, head, frozenset(erased))
