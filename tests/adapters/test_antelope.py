"""The ledger on a chain: one account per registration, whatever fails between signing, pushing and the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import trio

from regserver.adapters.ledger import build_ledger
from regserver.adapters.ledger.antelope import AntelopeLedger
from regserver.adapters.ledger.antelope_key import SigningKey
from regserver.adapters.ledger.antelope_node import AntelopeNode
from regserver.adapters.provider_client import ProviderClient, ProviderHttp
from regserver.config import ConfigFault, Secret
from regserver.config.provider import LedgerAntelope, LedgerSection
from regserver.domain.instant import DAY, SECOND, Duration
from regserver.domain.public_key import format_public_key
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.domain.steps_machine import (
    AlreadyRegistered,
    BadPublicKey,
    InvalidStep,
    LedgerUnavailable,
    NameTaken,
    NotInvited,
    OtherUserId,
    StepRefusal,
)
from regserver.ports.store import Store
from regserver.service.asker import Asker
from regserver.service.ledger_check import LedgerWhole, verify_ledger
from regserver.service.steps_service import StepResult
from regserver.store.sqlite import open_sqlite
from tests.adapters.test_antelope_format import WIF, public_key
from tests.fake import JOURNAL_SEAL
from tests.gate import APPROVE, INVITE, OPEN, invite, used
from tests.peer.antelope import CHAIN_ID, Chain, Mood, open_chain
from tests.peer.http import refused_url
from tests.steps import ASKER, GLS_KEY, HERE, K1_KEY, Steps, open_steps, phone, proposal, taken

LEGACY_KEY = GLS_KEY.replace("GLS", "EOS")
OTHER_KEY = format_public_key(public_key(b"other"))
MOODS: tuple[Mood, ...] = ("full", "silent", "no account yet")
UNAVAILABLE = LedgerUnavailable(state="toBlockChain")


def settings(url: str, limit: int = 5 * SECOND) -> LedgerAntelope:
    return LedgerAntelope(
        url=url, creator="creator", private_key=Secret(WIF), ram_bytes=3000, timeout=Duration(limit)
    )


@asynccontextmanager
async def open_chained(
    folder: Path,
    chain: Chain,
    *,
    url: str | None = None,
    limit: int = 5 * SECOND,
    chain_id: str = "",
    door: DoorPolicy = OPEN,
) -> AsyncIterator[Steps]:
    """The registration by steps on this chain. Opened again on the same folder it is what a restart leaves."""
    chosen = msgspec.structs.replace(settings(url or chain.url, limit), chain_id=chain_id)
    async with ProviderHttp() as client:
        node = AntelopeNode(ProviderClient(client, chosen.timeout), chosen.url)

        def ledger(store: Store) -> AntelopeLedger:
            return AntelopeLedger(JOURNAL_SEAL, store, node, SigningKey(WIF), chosen, pause=Duration(1))

        async with open_steps(folder, ledger=ledger, door=door) as steps:
            yield steps


async def register(steps: Steps, user_id: str, key: str = K1_KEY) -> StepResult | StepRefusal:
    return await steps.accounts.register(phone(), proposal("my-name", user_id, key), HERE)


async def reference(steps: Steps) -> str:
    entry = await steps.store.read(lambda transaction: transaction.journal.last())
    assert entry is not None
    return entry.reference


async def test_an_account_is_made_on_the_chain_and_in_the_journal(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        assert (await taken(register(steps, user_id))).registration.state == "registered"
        assert chain.accounts[user_id] == (LEGACY_KEY, LEGACY_KEY)
        assert chain.taken == chain.pushed == [await reference(steps)]
        assert isinstance(await verify_ledger(steps.store, JOURNAL_SEAL), LedgerWhole)
        assert await register(steps, user_id) == AlreadyRegistered(state="registered")
        assert len(chain.pushed) == 1


@pytest.mark.parametrize("mood", ["die before taking", "die after taking"])
async def test_a_lost_answer_and_a_restart_make_one_account(tmp_path: Path, mood: Mood) -> None:
    async with open_chain() as chain:
        async with open_chained(tmp_path, chain) as steps:
            user_id = await steps.to_named(phone(), "my-name")
            chain.mood = mood
            assert await register(steps, user_id) == UNAVAILABLE
        chain.mood = "well"
        async with open_chained(tmp_path, chain) as steps:
            await taken(register(steps, user_id))
            assert chain.taken == [await reference(steps)]
        assert set(chain.pushed) == set(chain.taken)


async def test_a_transaction_that_expired_unseen_is_signed_anew(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.mood = "die before taking"
        assert await register(steps, user_id) == UNAVAILABLE
        chain.mood = "well"
        chain.now += 1000
        await taken(register(steps, user_id))
        assert len(set(chain.pushed)) == 2
        assert chain.taken == [await reference(steps)]


async def test_other_keys_must_wait_until_the_first_transaction_cannot_land(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.mood = "die before taking"
        assert await register(steps, user_id) == UNAVAILABLE
        chain.mood = "well"
        assert await register(steps, user_id, OTHER_KEY) == UNAVAILABLE
        assert chain.taken == []
        chain.now += 1000
        await taken(register(steps, user_id, OTHER_KEY))
        assert len(chain.taken) == 1


async def test_keys_that_are_on_the_chain_already_are_the_only_ones(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.mood = "die after taking"
        assert await register(steps, user_id) == UNAVAILABLE
        chain.mood = "well"
        assert await register(steps, user_id, OTHER_KEY) == BadPublicKey(state="toBlockChain")
        await taken(register(steps, user_id))
        assert len(chain.taken) == 1


async def test_a_name_that_is_a_strangers_gives_way_to_a_new_user_id(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.accounts[user_id] = (OTHER_KEY, OTHER_KEY)
        assert await register(steps, user_id) == OtherUserId(state="toBlockChain")
        assert chain.pushed == []
        again = (await taken(steps.service.set_username(phone(), "my-name", HERE))).registration
        assert again.user_id not in {None, user_id}
        await taken(register(steps, again.user_id or ""))


async def test_parallel_calls_make_one_account(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        outcomes: list[StepResult | StepRefusal] = []

        async def call() -> None:
            outcomes.append(await register(steps, user_id))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(call)
        assert sum(isinstance(outcome, StepResult) for outcome in outcomes) == 1
        assert len(chain.taken) == 1
        assert set(chain.pushed) == set(chain.taken)


async def test_a_node_that_is_full_slow_or_gone(tmp_path: Path) -> None:
    async with open_chain() as chain:
        async with open_chained(tmp_path, chain, limit=300) as steps:
            user_id = await steps.to_named(phone(), "my-name")
            for mood in MOODS:
                chain.mood = mood
                assert await register(steps, user_id) == UNAVAILABLE
        async with open_chained(tmp_path, chain, url=await refused_url()) as steps:
            assert await register(steps, user_id) == UNAVAILABLE
        chain.mood = "well"
        async with open_chained(tmp_path, chain) as steps:
            await taken(register(steps, user_id))
        assert len(chain.taken) == 1


async def test_the_operator_is_told_of_a_node_that_is_gone(tmp_path: Path) -> None:
    async with open_chain() as chain, open_sqlite(tmp_path / "x.db") as store, ProviderHttp() as client:
        for url, complaint in ((chain.url, None), (await refused_url(), "get_info: cannot be reached")):
            section = LedgerSection(kind="antelope", antelope=settings(url))
            told = await build_ledger(section, JOURNAL_SEAL, client, store).check()
            assert (told is None) if complaint is None else (told or "").startswith(complaint)
        assert await build_ledger(LedgerSection(), JOURNAL_SEAL, client, store).check() is None


async def test_nothing_is_signed_for_another_chain(tmp_path: Path) -> None:
    async with open_chain() as chain:
        for chain_id, good in (("ab" * 32, False), (CHAIN_ID, True)):
            async with open_chained(tmp_path, chain, chain_id=chain_id) as steps:
                if not good:
                    user_id = await steps.to_named(phone(), "my-name")
                    assert await register(steps, user_id) == UNAVAILABLE
                    assert chain.pushed == []
                    assert (
                        await steps.accounts._parts.ledger.check()
                        == "get_info: the node is on another chain than ledger.antelope.chain_id"
                    )
                else:
                    await taken(register(steps, user_id))
        assert len(chain.taken) == 1


@pytest.mark.parametrize("year", [1960, 1969, 2107, 9999])
async def test_a_time_that_no_transaction_can_have_is_refused(tmp_path: Path, year: int) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.now = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        assert await register(steps, user_id) == UNAVAILABLE
        assert chain.pushed == []


async def test_what_may_be_on_the_chain_no_longer_lapses(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        chain.mood = "die after taking"
        assert await register(steps, user_id) == UNAVAILABLE
        steps.clock.advance(30 * DAY)
        await steps.store.write(lambda transaction: transaction.registrations.purge(steps.clock.now()))
        refused = await steps.service.first_step(phone(), "", "web", Asker("", "en"))
        assert refused == InvalidStep(state="toBlockChain")
        chain.mood = "well"
        await taken(register(steps, user_id))


async def test_a_name_lost_meanwhile_is_found_out_before_the_push(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        steps.clock.advance(DAY)
        await steps.to_registered(phone("+380000000012"), "my-name")
        assert await register(steps, user_id) == NameTaken(state="toBlockChain")
        assert len(chain.taken) == 1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"url": "node"}, "url"),
        ({"creator": "Creator"}, "creator"),
        ({"permission": ""}, "permission"),
        ({"contract": "Cyber"}, "contract"),
        ({"private_key": Secret("s3cret")}, "private key"),
        ({"stake_net": "1 eos"}, "amount"),
    ],
)
async def test_a_configuration_that_cannot_work(
    tmp_path: Path, wrong: dict[str, object], complaint: str
) -> None:
    fields = {"url": "http://127.0.0.1:8888", "creator": "creator", "private_key": Secret(WIF), **wrong}
    section = LedgerSection(kind="antelope", antelope=LedgerAntelope(**fields))  # type: ignore[arg-type]
    async with open_sqlite(tmp_path / "x.db") as store, ProviderHttp() as client:
        with pytest.raises(ConfigFault, match=complaint) as caught:
            build_ledger(section, JOURNAL_SEAL, client, store)
    assert "s3cret" not in str(caught.value)


# --- who may sign up
async def named_with(steps: Steps, invitation: str | None) -> str:
    await taken(steps.service.first_step(phone(), "", "web", ASKER, invitation))
    await taken(steps.service.verify(phone(), steps.sms.code, False, ASKER.address))
    found = (await taken(steps.service.set_username(phone(), "my-name", HERE))).registration
    assert found.user_id is not None
    return found.user_id


async def test_the_invitation_is_spent_before_the_chain_and_once(tmp_path: Path) -> None:
    """Whatever becomes of the chain meanwhile: what is on it belongs to an account that is let in."""
    async with open_chain() as chain, open_chained(tmp_path, chain, door=INVITE) as steps:
        number = await invite(steps.store, steps.clock, "regi_secret")
        user_id = await named_with(steps, "regi_secret")
        chain.mood = "die after taking"
        assert await register(steps, user_id) == UNAVAILABLE
        assert await used(steps.store, steps.clock, number) == 1
        chain.mood = "well"
        await taken(register(steps, user_id))
        assert await used(steps.store, steps.clock, number) == 1


async def test_without_a_good_invitation_nothing_is_pushed(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain, door=INVITE) as steps:
        number = await invite(steps.store, steps.clock, "regi_secret")
        user_id = await named_with(steps, "regi_secret")
        await steps.store.write(lambda transaction: transaction.invitations.revoke(number))
        assert await register(steps, user_id) == NotInvited()
        assert chain.pushed == []


async def test_an_account_on_the_chain_waits_here(tmp_path: Path) -> None:
    async with open_chain() as chain, open_chained(tmp_path, chain, door=APPROVE) as steps:
        user_id = await named_with(steps, None)
        await taken(register(steps, user_id))
        assert len(chain.pushed) == 1
        (waiting,) = await steps.store.read(lambda transaction: transaction.waiting.list(10))
        assert (waiting.ledger_name, waiting.waits_for) == (user_id, "approval")
