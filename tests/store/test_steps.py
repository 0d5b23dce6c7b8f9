"""The contract of back ends for the registration by steps: registrations, budgets, rewards, the journal."""

import itertools

import msgspec
import pytest
import trio

from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.account import NewAccount
from regserver.domain.contact import BudgetKey, CodeMac, ContactKey, LookupKey, NetworkKey
from regserver.domain.instant import DAY, HOUR, MINUTE, Instant, after
from regserver.domain.journal import JournalEntry, LedgerAccount
from regserver.domain.secret import SecretHash
from regserver.domain.steps_machine import Registration
from regserver.ports.budget_table import Budget
from regserver.ports.sms_table import SmsTally
from regserver.ports.store import Store, StoreFault
from regserver.ports.submission_table import Submission
from regserver.ports.transaction import Lock, Transaction
from tests.fake import JOURNAL_SEAL

NOW = Instant(1_600_000_000_000)


def registration(contact: bytes, **more: object) -> Registration:
    fresh = Registration(
        contact=ContactKey(contact),
        lookup=LookupKey(b"lookup of " + contact),
        kind="phone",
        mask="+**",
        state="verify",
        updated_at=NOW,
    )
    return msgspec.structs.replace(fresh, **more)


async def test_a_registration_comes_back_whole(any_store: Store) -> None:
    full = registration(
        b"\x00\xffa",
        kind="identity",
        provider="google",
        state="toBlockChain",
        network=NetworkKey(b"\x00network"),
        code=CodeMac(b"\x00mac"),
        code_expires_at=after(NOW, HOUR),
        code_tries=3,
        other_tries=5,
        resends=2,
        retry_at=after(NOW, 5),
        lapses_at=after(NOW, DAY),
        token=SecretHash(b"\xff" * 32),
        username="some-user-name",
        user_id="reg1abcdefgh",
    )
    bare = registration(b"b")

    async def save(transaction: Transaction) -> None:
        await transaction.registrations.save(registration(b"\x00\xffa"))
        await transaction.registrations.save(full)
        await transaction.registrations.save(bare)

    await any_store.write(save)
    assert await any_store.read(lambda t: t.registrations.by_contact(full.contact)) == full
    assert await any_store.read(lambda t: t.registrations.by_contact(bare.contact)) == bare
    assert await any_store.read(lambda t: t.registrations.by_user_id("reg1abcdefgh")) == full
    assert await any_store.read(lambda t: t.registrations.by_lookup(full.lookup)) == (full,)
    assert await any_store.read(lambda t: t.registrations.by_contact(ContactKey(b"c"))) is None
    await any_store.write(lambda t: t.registrations.remove(full.contact))
    assert await any_store.read(lambda t: t.registrations.by_lookup(full.lookup)) == ()


async def test_only_what_has_lapsed_is_purged(any_store: Store) -> None:
    rows = [
        registration(b"gone", lapses_at=NOW),
        registration(b"left", lapses_at=after(NOW, 1)),
        registration(b"kept"),
    ]

    async def work(transaction: Transaction) -> tuple[int, list[bool]]:
        for row in rows:
            await transaction.registrations.save(row)
        count = await transaction.registrations.purge(NOW)
        found = [await transaction.registrations.by_contact(row.contact) for row in rows]
        return count, [each is not None for each in found]

    assert await any_store.write(work) == (1, [False, True, True])


async def test_no_change_of_a_registration_is_lost(any_store: Store) -> None:
    """Tries are counted by reading and writing the row: side by side, each must see the one before."""
    await any_store.write(lambda t: t.registrations.save(registration(b"a", code_tries=100)))

    async def spend(transaction: Transaction) -> None:
        await transaction.lock(Lock.CONTACT, b"a")
        found = await transaction.registrations.by_contact(ContactKey(b"a"))
        assert found is not None
        await transaction.registrations.save(msgspec.structs.replace(found, code_tries=found.code_tries - 1))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(any_store.write, spend)
    found = await any_store.read(lambda t: t.registrations.by_contact(ContactKey(b"a")))
    assert found is not None
    assert found.code_tries == 50


# --- budgets
ONE, TWO = Budget(BudgetKey(b"one"), 1, DAY), Budget(BudgetKey(b"two"), 2, DAY)


async def spend(store: Store, *budgets: Budget, at: int = 0) -> Instant | None:
    return await store.write(lambda t: t.budgets.spend(budgets, after(NOW, at)))


async def test_a_budget_is_whole_again_after_its_time(any_store: Store) -> None:
    assert await spend(any_store, TWO) is None
    assert await spend(any_store, TWO, at=HOUR) is None
    assert await spend(any_store, TWO, at=DAY - 1) == after(NOW, DAY)
    assert await spend(any_store, TWO, at=DAY) is None
    assert await any_store.read(lambda t: t.budgets.spent(TWO.key, DAY, after(NOW, DAY))) == 1


async def test_all_budgets_are_spent_or_none(any_store: Store) -> None:
    assert await spend(any_store, ONE, TWO) is None
    assert await spend(any_store, TWO, ONE) == after(NOW, DAY)
    assert await any_store.read(lambda t: t.budgets.spent(TWO.key, DAY, NOW)) == 1
    await any_store.write(lambda t: t.budgets.give_back([ONE, TWO]))
    assert await spend(any_store, ONE, TWO) is None
    await any_store.write(lambda t: t.budgets.clear(ONE.key))
    assert await spend(any_store, ONE) is None


async def test_racing_for_a_budget(any_store: Store) -> None:
    ten = Budget(BudgetKey(b"ten"), 10, DAY)
    outcomes: list[Instant | None] = []

    async def race() -> None:
        outcomes.append(await spend(any_store, ten))

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(race)
    assert outcomes.count(None) == 10


# --- rewards
async def test_a_reward_is_one_row(any_store: Store) -> None:
    async def grant(transaction: Transaction) -> list[bool]:
        wanted = [("u", "r", "a"), ("u", "r", "a"), ("u", "r", "b"), ("u", "s", "a"), ("v", "r", "a")]
        return [await transaction.rewards.grant(*each, NOW) for each in wanted]

    assert await any_store.write(grant) == [True, False, True, True, True]
    assert await any_store.read(lambda t: t.rewards.count("u")) == 3


# --- the ledger
def entries(count: int) -> list[JournalEntry]:
    made: list[JournalEntry] = []
    head = JOURNAL_SEAL.begin(None)
    for number in range(count):
        account = LedgerAccount(
            user_id=f"reg1{number:08}", username=f"user-{number}", owner_key="PUB_K1_o", active_key="PUB_K1_a"
        )
        entry, head = JOURNAL_SEAL.following(head, after(NOW, number), account, f"tx{number}")
        made.append(entry)
    return made


async def test_the_journal_comes_back_in_order(any_store: Store) -> None:
    made = entries(5)

    async def append(transaction: Transaction) -> None:
        assert await transaction.journal.last() is None
        for entry in made:
            await transaction.journal.append(entry)

    await any_store.write(append)
    assert await any_store.read(lambda t: t.journal.last()) == made[-1]
    assert await any_store.read(lambda t: t.journal.page(1, 2)) == tuple(made[1:3])
    with pytest.raises(StoreFault, match="conflict"):
        await any_store.write(lambda t: t.journal.append(made[-1]))


async def test_racing_entries_stand_on_each_other(any_store: Store) -> None:
    async def append(transaction: Transaction, number: int) -> None:
        account = LedgerAccount(user_id=f"u{number}", username="x", owner_key="o", active_key="a")
        await EmbeddedLedger(JOURNAL_SEAL).record(transaction, account, "", NOW)

    async with trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(any_store.write, lambda t, number=number: append(t, number))
    page = await any_store.read(lambda t: t.journal.page(0, 100))
    head = await any_store.read(lambda t: t.journal.head())
    assert head is not None
    assert (head.number, head.hash, head.keyed_from) == (30, page[-1].hash, 1)
    assert [entry.number for entry in page] == list(range(1, 31))
    assert all(later.previous == entry.hash for entry, later in itertools.pairwise(page))


async def test_an_account_without_entry_is_found(any_store: Store) -> None:
    new = NewAccount(username="user-0", origin="steps", ledger_name="reg100000000", created_at=NOW)
    other = NewAccount(username="other", origin="rooms", created_at=NOW)

    async def add(transaction: Transaction) -> str | None:
        await transaction.accounts.add(other)
        await transaction.accounts.add(new)
        return await transaction.journal.unjournalled()

    assert await any_store.write(add) == "reg100000000"
    await any_store.write(lambda t: t.journal.append(entries(1)[0]))
    assert await any_store.read(lambda t: t.journal.unjournalled()) is None


async def test_a_submission_stays_until_it_has_expired(any_store: Store) -> None:
    first = Submission(
        user_id="u", owner_key="o", active_key="a", transaction_id="t", signed=b"\x00\xff", expires_at=NOW
    )
    second = msgspec.structs.replace(first, transaction_id="t2", signed=b"two")
    late = Instant(NOW + 1)
    assert await any_store.write(lambda t: t.submissions.offer(first, NOW)) == first
    assert await any_store.write(lambda t: t.submissions.offer(second, NOW)) == first
    assert await any_store.read(lambda t: t.submissions.by_user_id("u")) == first
    assert await any_store.write(lambda t: t.submissions.offer(second, late)) == second
    assert await any_store.read(lambda t: t.submissions.by_user_id("u")) == second
    assert await any_store.read(lambda t: t.submissions.by_user_id("v")) is None


# --- the guard of SMS, and proofs of work
async def test_codes_are_counted_by_country_and_minute(any_store: Store) -> None:
    async def fill(transaction: Transaction) -> None:
        await transaction.sms.count("UA", NOW, sent=1)
        await transaction.sms.count("UA", NOW, sent=1)
        await transaction.sms.count("UA", after(NOW, MINUTE), sent=1, entered=1)
        await transaction.sms.count("UA", after(NOW, MINUTE), sent=-1)
        await transaction.sms.count("DE", NOW, sent=7)

    await any_store.write(fill)
    assert await any_store.read(lambda t: t.sms.tally("UA", NOW)) == SmsTally(2, 1, None)
    assert await any_store.read(lambda t: t.sms.tally("UA", after(NOW, MINUTE))) == SmsTally(0, 1, None)
    assert await any_store.read(lambda t: t.sms.tally("DE", NOW)) == SmsTally(7, 0, None)
    assert await any_store.read(lambda t: t.sms.tally("FR", NOW)) == SmsTally(0, 0, None)


async def test_a_closed_country_is_noted(any_store: Store) -> None:
    until = after(NOW, HOUR)

    async def fill(transaction: Transaction) -> None:
        await transaction.sms.count("UA", NOW, sent=20)
        await transaction.sms.close("UA", NOW, until)
        await transaction.sms.close("DE", NOW, until)

    await any_store.write(fill)
    assert await any_store.read(lambda t: t.sms.tally("UA", NOW)) == SmsTally(20, 0, until)
    assert await any_store.read(lambda t: t.sms.tally("DE", NOW)) == SmsTally(0, 0, until)


async def test_old_counts_of_codes_are_purged(any_store: Store) -> None:
    async def work(transaction: Transaction) -> tuple[int, SmsTally]:
        await transaction.sms.count("UA", NOW, sent=1)
        await transaction.sms.count("UA", after(NOW, 3 * HOUR), sent=1)
        count = await transaction.sms.purge(after(NOW, 4 * HOUR))
        return count, await transaction.sms.tally("UA", NOW)

    assert await any_store.write(work) == (1, SmsTally(1, 0, None))


async def test_a_solution_counts_once(any_store: Store) -> None:
    outcomes: list[bool] = []

    async def spend() -> None:
        challenge = SecretHash(b"\x00" * 32)
        outcomes.append(await any_store.write(lambda t: t.solutions.spend(challenge, after(NOW, 5))))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(spend)
    assert sorted(outcomes) == [False] * 19 + [True]
    assert await any_store.write(lambda t: t.solutions.purge(after(NOW, 4))) == 0
    assert await any_store.write(lambda t: t.solutions.purge(after(NOW, 5))) == 1
    await spend()
    assert outcomes[-1]
