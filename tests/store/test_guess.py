"""The contract of back ends for counters of wrong secrets, and the networks that accounts know."""

import pytest

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.guess import LAPSE, NETWORK_KNOWN, CounterKey, Failures, NetworkHash
from regserver.domain.instant import Instant, after
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.store.sql import guess_rows, network_rows

NOW = Instant(1_600_000_000_000)
ONE, TWO = CounterKey(b"one"), CounterKey(b"two")
HOME, OFFICE = NetworkHash(b"home"), NetworkHash(b"office")


async def add(store: Store, name: str) -> AccountId:
    async def work(transaction: Transaction) -> AccountId:
        made = await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=NOW))
        assert made is not None
        return made

    return await store.write(work)


async def count(store: Store, counter: CounterKey, account: AccountId | None, at: int = NOW) -> int:
    return await store.write(lambda transaction: transaction.guesses.count(counter, account, Instant(at)))


async def failures(store: Store, counter: CounterKey) -> Failures | None:
    return await store.read(lambda transaction: transaction.guesses.failures(counter))


async def test_failures_are_counted_until_they_lapse(any_store: Store) -> None:
    ann = await add(any_store, "ann")
    assert await failures(any_store, ONE) is None
    assert [await count(any_store, ONE, ann, NOW + n) for n in range(3)] == [1, 2, 3]
    assert await count(any_store, TWO, None) == 1
    assert await failures(any_store, ONE) == Failures(3, Instant(NOW + 2))
    assert await count(any_store, ONE, ann, NOW + 2 + LAPSE) == 1
    await any_store.write(lambda transaction: transaction.guesses.clear(ONE))
    assert await failures(any_store, ONE) is None
    assert await failures(any_store, TWO) is not None


async def test_what_lapsed_is_removed(any_store: Store) -> None:
    await count(any_store, ONE, await add(any_store, "ann"))
    await count(any_store, TWO, None, NOW + 1)
    assert await any_store.write(lambda t: t.guesses.purge(after(NOW, LAPSE))) == 1
    assert (await failures(any_store, ONE), await failures(any_store, TWO)) == (
        None,
        Failures(1, Instant(NOW + 1)),
    )


async def test_strangers_make_the_server_keep_a_bounded_number(
    any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counters of accounts stay, however many names of nobody are tried."""
    monkeypatch.setattr(guess_rows, "MOST_STRANGERS", 10)
    await count(any_store, ONE, await add(any_store, "ann"))
    names = [CounterKey(b"name %d" % number) for number in range(25)]
    for number, name in enumerate(names):
        await count(any_store, name, None, NOW + 1 + number)
    assert await any_store.write(lambda transaction: transaction.guesses.purge(NOW)) == 15
    left = [name for name in names if await failures(any_store, name) is not None]
    assert left == names[15:]
    assert await failures(any_store, ONE) is not None


async def test_the_networks_of_an_account(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = await add(any_store, "ann"), await add(any_store, "bob")

    async def work(transaction: Transaction) -> None:
        networks = transaction.networks
        assert await networks.language(ann) is None
        await networks.note(ann, HOME, "en", NOW)
        await networks.note(ann, OFFICE, "fr", after(NOW, 1))
        await networks.note(ann, HOME, "ru", after(NOW, 2))
        await networks.note(bob, HOME, "en", NOW)

    await any_store.write(work)

    async def look(transaction: Transaction) -> object:
        networks = transaction.networks
        seen = [await networks.signed_in_at(ann, HOME), await networks.signed_in_at(ann, OFFICE)]
        return seen, await networks.signed_in_at(bob, OFFICE), await networks.language(ann)

    assert await any_store.read(look) == ([NOW + 2, NOW + 1], None, "ru")
    monkeypatch.setattr(network_rows, "MOST_NETWORKS", 1)
    await any_store.write(lambda transaction: transaction.networks.trim(ann))
    assert await any_store.read(look) == ([NOW + 2, None], None, "ru")
    assert await any_store.write(lambda t: t.networks.purge(after(NOW, NETWORK_KNOWN))) == 1  # bob's


async def test_an_account_that_is_erased_is_forgotten(any_store: Store) -> None:
    ann, bob = await add(any_store, "ann"), await add(any_store, "bob")
    await count(any_store, ONE, ann)
    await count(any_store, TWO, bob)

    async def work(transaction: Transaction) -> object:
        for account in (ann, bob):
            await transaction.networks.note(account, HOME, "en", NOW)
        await transaction.guesses.forget(ann)
        await transaction.networks.forget(ann)
        return [await transaction.networks.signed_in_at(account, HOME) for account in (ann, bob)]

    assert await any_store.write(work) == [None, NOW]
    assert await failures(any_store, ONE) is None
    assert await failures(any_store, TWO) is not None
