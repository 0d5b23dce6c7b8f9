"""What one node does for all: it is the first of those that live, by name, whatever happened to the others."""

from regserver.domain.instant import SECOND, Duration
from regserver.ports.store import Store
from regserver.service.node_duty import NodeDuty
from regserver.service.node_sight import DEAD_LEASES
from tests.store.test_live_board import MovedClock

LEASE = Duration(10 * SECOND)


async def test_it_is_the_first_that_lives(any_store: Store) -> None:
    clock = MovedClock()
    now = clock.now()

    async def begin(name: str) -> NodeDuty:
        await any_store.write(lambda transaction: transaction.nodes.take(name, name.encode(), None, now))
        return NodeDuty(any_store, clock, name.encode(), LEASE)

    beta = await begin("beta")
    assert await beta.is_ours()
    alpha = await begin("alpha")
    assert (await alpha.is_ours(), await beta.is_ours()) == (True, False)
    for _ in range(5):
        clock.advance(LEASE)
        await any_store.write(lambda transaction: transaction.nodes.beat("alpha", b"alpha", now))
        await any_store.write(lambda transaction: transaction.nodes.beat("beta", b"beta", now))
        assert (await alpha.is_ours(), await beta.is_ours()) == (True, False)
    for _ in range(DEAD_LEASES):  # alpha was killed
        clock.advance(LEASE)
        await any_store.write(lambda transaction: transaction.nodes.beat("beta", b"beta", now))
    assert await beta.is_ours()
    await any_store.write(lambda transaction: transaction.nodes.leave("alpha", b"alpha"))
    assert (await alpha.is_ours(), await beta.is_ours()) == (False, True)
