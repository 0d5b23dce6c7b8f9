"""A changed cost of password hashes reaches each account at its next sign-in."""

from pathlib import Path

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.domain.account import NewAccount, name_key
from regserver.ports.password_hasher import PasswordMatch
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.identity_service import SignedIn
from tests.live_world import World, world


async def add(here: World, password: str) -> str:
    """An account from the time of another cost; its hash."""
    before = Argon2Hasher(time_cost=2, memory=1 << 17, parallelism=1, max_memory=1 << 20)
    stored = await before.hash(password)
    new = NewAccount(username="ada", origin="directory", created_at=here.clock.now(), password_hash=stored)
    await here.store.write(lambda transaction: add_account(transaction, new))
    return stored


async def kept_hash(here: World) -> str | None:
    async def work(transaction: Transaction) -> str | None:
        account = await transaction.accounts.by_name(name_key("ada"))
        return None if account is None else account.password_hash

    return await here.store.read(work)


async def test_a_sign_in_renews_a_hash_of_another_cost_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        old = await add(here, "her own")
        assert isinstance(await here.sign_in("ada", "her own"), SignedIn)
        renewed = await kept_hash(here)
        assert renewed is not None
        assert renewed != old
        assert "t=1" in renewed
        assert isinstance(await here.sign_in("ada", "her own"), SignedIn)
        assert await kept_hash(here) == renewed


async def test_a_wrong_password_renews_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        old = await add(here, "her own")
        assert not isinstance(await here.sign_in("ada", "wrong"), SignedIn)
        assert await kept_hash(here) == old


async def test_what_is_no_hash_matches_nothing() -> None:
    hasher = Argon2Hasher(time_cost=1, memory=1 << 16, parallelism=1, max_memory=1 << 20)
    assert await hasher.verify("her own", "nonsense") is PasswordMatch.WRONG
