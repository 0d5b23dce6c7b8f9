"""The chain of the audit: what was changed, removed, added or emptied is found."""

from collections.abc import Callable

import msgspec
import pytest

from regserver.domain.account import AccountId
from regserver.domain.audit import AuditChain, AuditHash, AuditMark, AuditNote, AuditOrigin, AuditRow
from regserver.domain.instant import Instant
from tests.fake import EPOCH

CHAIN = AuditChain(b"a key of the audit for tests....")
ANN, BOB = AccountId(1), AccountId(2)


def written(count: int = 5) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(count):
        mark = AuditMark(rows[-1].number, rows[-1].hash, b"") if rows else None
        note = AuditNote(action="sign_in", account=ANN if number % 2 else BOB)
        origin = AuditOrigin("client", "192.0.2.0/24")
        rows.append(CHAIN.following(mark, note, origin, Instant(EPOCH + number), bytes([number]) * 16))
    return rows


def fault(
    rows: list[AuditRow],
    head: AuditMark | None,
    anchor: AuditMark | None = None,
    erased: frozenset[AccountId] = frozenset(),
) -> str | None:
    last: AuditRow | AuditMark | None = anchor
    for row in rows:
        if found := CHAIN.fault_of(row, last, lambda row: row.account_id in erased):
            return found
        last = row
    return CHAIN.fault_of_marks(anchor, head, last)


def test_what_was_written_is_right() -> None:
    rows = written()
    head = CHAIN.mark("head", rows[-1])
    assert fault(rows, head) is None
    assert fault(rows[2:], head, CHAIN.mark("anchor", rows[1])) is None
    assert fault([], head, CHAIN.mark("anchor", rows[-1])) is None
    assert fault([], None) is None


def replaced(**changes: object) -> Callable[[list[AuditRow]], list[AuditRow]]:
    return lambda rows: [*rows[:2], msgspec.structs.replace(rows[2], **changes), *rows[3:]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replaced(actor="key eve"), "row 3 was changed"),
        (replaced(action="deleted"), "row 3 was changed"),
        (replaced(outcome="refused"), "row 3 was changed"),
        (replaced(account_id=AccountId(9)), "row 3 was changed"),
        (replaced(subject="room 3"), "row 3 was changed"),
        (replaced(at=Instant(EPOCH)), "row 3 was changed"),
        (replaced(network="198.51.100.0/24"), "row 3 was changed"),
        (replaced(digest=bytes(32)), "row 3 was changed"),
        (replaced(hash=AuditHash(bytes(32))), "row 3 was changed"),
        (replaced(salt=None, network=""), "row 3 was emptied by somebody else"),
        (lambda rows: rows[:2] + rows[3:], "row 3 is missing"),
        (lambda rows: rows[1:], "row 1 is missing"),
        (lambda rows: rows[:-1], "row 5 is missing: there were 5 rows"),
        (lambda rows: [], "row 1 is missing: there were 5 rows"),
    ],
)
def test_what_was_done_to_it_is_named(change: Callable[[list[AuditRow]], list[AuditRow]], said: str) -> None:
    rows = written()
    assert fault(change(rows), CHAIN.mark("head", rows[-1])) == said


def test_the_ends_are_sealed() -> None:
    rows = written()
    head = CHAIN.mark("head", rows[-1])
    assert fault(rows, None) == "the seal of the last row is missing"
    forged = msgspec.structs.replace(CHAIN.mark("head", rows[3]), number=5)
    assert fault(rows, forged) == "the seal of the last row is not of this server's key"
    strange = AuditChain(b"another key").mark("anchor", rows[1])
    assert fault(rows[2:], head, strange) == "the seal of the last trimmed row is not of this server's key"
    assert fault(rows, CHAIN.mark("head", rows[3])) == "row 5 was not sealed"


def test_a_row_of_an_erased_account_keeps_its_place() -> None:
    rows = written()
    emptied = replaced(salt=None, network="")(rows)
    head = CHAIN.mark("head", rows[-1])
    assert fault(emptied, head, erased=frozenset({BOB})) is None
    half = replaced(salt=None)(rows)
    assert fault(half, head, erased=frozenset({BOB})) == "row 3 was emptied by somebody else"
