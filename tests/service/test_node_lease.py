"""The name of a node: one process has it while it shows life, and the next one once it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.instant import Duration
from regserver.ports.store import Store, StoreFault
from regserver.service.node_lease import NodeLease, NodePolicy
from regserver.store.sqlite import open_sqlite
from tests.fake import ManualClock

LEASE = Duration(200)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_sqlite(tmp_path / "x.db") as opened:
        yield opened


def lease(store: Store, run: bytes, span: Duration = LEASE) -> NodeLease:
    return NodeLease(store, ManualClock(), NodePolicy("alpha", run, span))


async def test_a_node_that_lives_keeps_its_name(store: Store) -> None:
    first = lease(store, b"1")
    await first.take()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.run)
        with pytest.raises(StoreFault, match="a node named alpha runs already"):
            await lease(store, b"2", Duration(1000)).take()
        nursery.cancel_scope.cancel()


async def test_a_name_that_was_left_is_free_at_once(store: Store) -> None:
    first = lease(store, b"1")
    await first.take()
    await first.leave()
    with trio.fail_after(30):
        await lease(store, b"2", Duration(60_000)).take()


async def test_a_name_is_free_as_soon_as_it_is_left_while_another_waits(store: Store) -> None:
    first, second = lease(store, b"1"), lease(store, b"2")
    await first.take()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(second.take)
        await first.leave()
    await second.leave()
    assert await store.read(lambda transaction: transaction.nodes.all()) == ()


async def test_a_silent_node_loses_its_name_and_stops_when_it_finds_out(store: Store) -> None:
    first, second = lease(store, b"1"), lease(store, b"2")
    await first.take()
    await second.take()
    with pytest.raises(StoreFault, match="this node was silent for too long"):
        await first.run()
    await first.leave()
    (left,) = await store.read(lambda transaction: transaction.nodes.all())
    assert left.run == b"2"
