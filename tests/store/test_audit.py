"""The audit on every store: written with the change, in one chain whoever writes, trimmed and emptied without a gap."""

import trio

from regserver.domain.account import AccountId, NewAccount, name_key
from regserver.domain.audit import AuditChain, AuditNote
from regserver.domain.instant import DAY, Duration, Instant
from regserver.domain.operator_key import PERMISSIONS, ROLES, Operation
from regserver.domain.operator_outcome import BadKeyName, BadRole, KeyNameTaken, KeyNotFound, NotPermitted
from regserver.domain.outcome import BadToken
from regserver.domain.secret import hash_secret
from regserver.ports.audit_table import AuditFilter, asked_from
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.expiry import trim_audit
from regserver.service.operator.audit import AuditBroken, AuditDesk, AuditWhole
from regserver.service.operator.key import KeyDesk, KeyMade
from regserver.service.operator.unit import KeyHolder, LocalOperator, OperatorUnit, PageVisitor
from tests.fake import EPOCH, NAME_HASH, ManualClock, SeededRandomness

ROOT = LocalOperator("command root")


def desk(store: Store) -> AuditDesk:
    return AuditDesk(OperatorUnit(store, ManualClock()), AuditChain(b""))


async def note(store: Store, account: int = 1, times: int = 1) -> None:
    async def work(transaction: Transaction) -> None:
        for _ in range(times):
            transaction.audit.note(AuditNote(action="sign_in", account=AccountId(account)))

    await store.write(work)


async def count(store: Store) -> int:
    found = await desk(store).verify(ROOT)
    assert isinstance(found, AuditWhole), found
    return found.rows


async def test_many_writers_make_one_chain(any_store: Store) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(note, any_store, number, number % 3)
    assert await count(any_store) == 39
    rows = await desk(any_store).newest(ROOT, AuditFilter(), 100)
    assert isinstance(rows, tuple)
    assert [row.number for row in rows] == list(range(39, 0, -1))
    mine = await desk(any_store).newest(ROOT, AuditFilter(account=AccountId(5), before=30), 100)
    assert isinstance(mine, tuple)
    assert {row.account_id for row in mine} <= {5}


async def test_a_change_that_fails_leaves_no_row(any_store: Store) -> None:
    class Broken(Exception):
        pass

    async def work(transaction: Transaction) -> None:
        transaction.audit.note(AuditNote(action="deleted", account=AccountId(1)))
        raise Broken

    for _ in range(2):
        try:
            await any_store.write(work)
        except Broken:
            continue
        raise AssertionError
    await note(any_store)
    assert await count(any_store) == 1


async def test_it_says_who_and_from_where(any_store: Store) -> None:
    asked_from.set("192.0.2.77")
    await note(any_store)
    asked_from.set(None)
    await note(any_store)
    rows = await desk(any_store).newest(ROOT, AuditFilter(), 2)
    assert isinstance(rows, tuple)
    assert [(row.actor, row.network) for row in rows] == [("server", ""), ("client", "192.0.2.0/24")]


async def test_old_rows_go_and_the_rest_still_holds(any_store: Store) -> None:
    await note(any_store, times=2500)
    clock = ManualClock()
    rows = await desk(any_store).newest(ROOT, AuditFilter(), 1)
    assert isinstance(rows, tuple)
    clock.advance(rows[0].at - clock.now() + DAY)
    await note(any_store)
    assert await trim_audit(any_store, clock, Duration(2 * DAY)) == 0
    kept = await trim_audit(any_store, clock, Duration(DAY // 2))
    assert kept == 2501
    found = await desk(any_store).verify(ROOT)
    assert isinstance(found, AuditWhole)
    assert (found.rows, found.trimmed) == (0, 2501)
    await note(any_store, times=3)
    found = await desk(any_store).verify(ROOT)
    assert isinstance(found, AuditWhole)
    assert (found.rows, found.trimmed) == (3, 2501)


async def test_the_rows_of_an_erased_account_say_no_network_and_still_hold(any_store: Store) -> None:
    async def add(transaction: Transaction) -> AccountId:
        return await transaction.accounts.add(NewAccount(username="ann", origin="rooms", created_at=EPOCH))

    ann = await any_store.write(add)
    asked_from.set("192.0.2.77")
    await note(any_store, ann)
    await note(any_store, ann + 1)

    async def empty(transaction: Transaction) -> None:
        await transaction.erasures.erase(ann, NAME_HASH(name_key("ann")), Instant(EPOCH + 1))

    await any_store.write(empty)
    rows = await desk(any_store).newest(ROOT, AuditFilter(), 10)
    assert isinstance(rows, tuple)
    assert {row.account_id: row.network for row in rows} == {ann + 1: "192.0.2.0/24", ann: ""}
    assert await count(any_store) == 2
    other = await AuditDesk(OperatorUnit(any_store, ManualClock()), AuditChain(b"another")).verify(ROOT)
    assert other == AuditBroken("row 1 was changed")


# --- keys
def keys(store: Store) -> tuple[OperatorUnit, KeyDesk]:
    unit = OperatorUnit(store, ManualClock())
    return unit, KeyDesk(unit, SeededRandomness())


async def test_a_key_goes_as_far_as_its_role(any_store: Store) -> None:
    unit, desk_of_keys = keys(any_store)
    for role in ROLES:
        made = await desk_of_keys.create(ROOT, f"a-{role}", role)
        assert isinstance(made, KeyMade)
        assert made.secret.startswith("regs_op_")
        holder = KeyHolder(hash_secret(made.secret))
        for operation in Operation:
            refusal = await unit.check(holder, operation)
            assert (refusal is None) is (operation in PERMISSIONS[role]), (role, operation)
            assert refusal is None or isinstance(refusal, NotPermitted)
    assert isinstance(await unit.check(KeyHolder(hash_secret("regs_op_")), Operation.READ_USERS), BadToken)


async def test_keys_are_made_listed_and_revoked(any_store: Store) -> None:
    unit, desk_of_keys = keys(any_store)
    assert await desk_of_keys.create(ROOT, "Anna", "admin") == BadKeyName()
    assert await desk_of_keys.create(ROOT, "anna", "root") == BadRole()
    made = await desk_of_keys.create(ROOT, "anna", "admin")
    assert isinstance(made, KeyMade)
    anna = KeyHolder(hash_secret(made.secret))
    assert await desk_of_keys.create(anna, "anna", "read") == KeyNameTaken()
    entry = hash_secret("rego_entry")
    listed = await desk_of_keys.list(anna)
    assert isinstance(listed, tuple)

    async def enter(transaction: Transaction) -> None:
        await transaction.operators.add_entry(entry, listed[0].id, Instant(EPOCH + 1000))

    await any_store.write(enter)
    assert await unit.key_of(PageVisitor(entry)) == listed[0]
    assert await desk_of_keys.revoke(anna, "bob") == KeyNotFound()
    assert await desk_of_keys.revoke(anna, "anna") is None
    assert await desk_of_keys.list(anna) == BadToken()
    assert await unit.key_of(PageVisitor(entry)) is None
    rows = await desk(any_store).newest(ROOT, AuditFilter(), 10)
    assert isinstance(rows, tuple)
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("key anna", "key_revoked", "key anna"),
        ("command root", "key_made", "key anna, admin"),
    ]


async def test_the_link_of_the_first_start_is_spent_once(any_store: Store) -> None:
    link = hash_secret("regl_link")

    async def write(transaction: Transaction) -> None:
        await transaction.operators.add_entry(link, None, Instant(EPOCH + 1000))

    await any_store.write(write)
    spent: list[bool] = []

    async def spend(now: Instant) -> None:
        spent.append(await any_store.write(lambda transaction: transaction.operators.take_link(link, now)))

    await spend(Instant(EPOCH + 1000))
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(spend, EPOCH)
    assert spent.count(True) == 1
