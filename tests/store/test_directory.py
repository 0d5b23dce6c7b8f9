"""The contract of back ends for the directory: pending creations, and counted servers."""

from functools import partial

import msgspec

from regserver.domain.account import AccountId, NewAccount, email_key
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.secret import SecretHash
from regserver.ports.directory_table import PendingCreation
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

NOW = Instant(1_600_000_000_000)
CHALLENGE = SecretHash(b"\x00\xff" * 16)
PENDING = PendingCreation(
    username="Alice",
    email="Alice@Example.org",
    password_hash="$argon2id$…",
    language="ru",
    created_at=NOW,
    expires_at=after(NOW, DAY),
    account=None,
)


async def add(transaction: Transaction) -> None:
    await transaction.directory.add_pending(CHALLENGE, PENDING)


async def add_account(store: Store, username: str, server: str | None) -> AccountId:
    new = NewAccount(username=username, origin="directory", created_at=NOW, server=server)
    added = await store.write(lambda transaction: transaction.accounts.add(new))
    assert added is not None
    return added


async def pending(store: Store) -> PendingCreation | None:
    return await store.read(lambda transaction: transaction.directory.pending(CHALLENGE))


async def count(store: Store, email: str, since: Instant) -> int:
    return await store.read(lambda transaction: transaction.directory.count_pending(email_key(email), since))


async def users(store: Store, *servers: str) -> dict[str, int]:
    return await store.read(lambda transaction: transaction.directory.users(servers))


async def test_a_pending_creation_comes_back_whole(any_store: Store) -> None:
    assert await pending(any_store) is None
    await any_store.write(add)
    assert await pending(any_store) == PENDING


async def test_a_settled_one_forgets_the_person_and_stays(any_store: Store) -> None:
    await any_store.write(add)
    account = await add_account(any_store, "Alice", None)
    await any_store.write(lambda transaction: transaction.directory.settle(CHALLENGE, account))
    settled = msgspec.structs.replace(PENDING, email=None, password_hash=None, account=account)
    assert await pending(any_store) == settled
    assert await any_store.write(lambda transaction: transaction.directory.purge(after(NOW, 9 * DAY))) == 0
    assert await pending(any_store) == settled
    assert await count(any_store, "alice@example.org", NOW) == 0


async def test_a_purge_takes_what_has_expired(any_store: Store) -> None:
    await any_store.write(add)
    expiry = PENDING.expires_at
    assert await any_store.write(lambda transaction: transaction.directory.purge(Instant(expiry - 1))) == 0
    assert await any_store.write(lambda transaction: transaction.directory.purge(expiry)) == 1
    assert await pending(any_store) is None


async def test_pending_ones_are_counted_by_address_in_any_case(any_store: Store) -> None:
    await any_store.write(add)
    assert await count(any_store, "alice@example.org", NOW) == 1
    assert await count(any_store, "alice@example.org", after(NOW, 1)) == 0
    assert await count(any_store, "bob@example.org", NOW) == 0


async def test_users_of_servers_are_counted(any_store: Store) -> None:
    for server in ("one", "two", "one"):
        await any_store.write(partial(add_user, server=server))
    assert await users(any_store, "one", "two", "three") == {"one": 2, "two": 1}
    assert await users(any_store) == {}


async def add_user(transaction: Transaction, server: str) -> None:
    await transaction.directory.add_user(server)


async def test_a_recount_counts_the_living(any_store: Store) -> None:
    await any_store.write(lambda transaction: transaction.directory.add_user("gone"))
    await add_account(any_store, "alice", "one")
    await add_account(any_store, "bobby", None)
    deleted = await add_account(any_store, "carol", "one")
    await any_store.write(lambda transaction: transaction.accounts.mark_deleted(deleted, NOW))
    await any_store.write(lambda transaction: transaction.directory.recount())
    assert await users(any_store, "one", "gone") == {"one": 1}
