"""The way of write units to the writer's thread: at once for a single writer, together for several."""

from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from regserver.ports.transaction import Transaction
from regserver.store.sqlite.unit import Job
from regserver.store.sqlite.write_gate import WriteGate


async def nothing(_: Transaction) -> None:
    """A unit that is not run here."""


async def test_a_single_unit_goes_at_once_and_several_go_together() -> None:
    handed: list[int] = []

    def hand_over(jobs: list[Job[Any]]) -> None:
        handed.append(len(jobs))

    gate = WriteGate(hand_over)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.run)
        gate.put_nowait(Job(nothing))
        assert handed == [1]
        gate.finished_nowait(3)
        for _ in range(5):
            gate.put_nowait(Job(nothing))
        assert handed == [1]
        await wait_all_tasks_blocked()
        assert handed == [1, 5]
        gate.finished_nowait(1)
        gate.put_nowait(Job(nothing))
        assert handed == [1, 5, 1]
        gate.stop()


async def test_what_is_gathered_goes_even_when_all_is_cancelled_and_stopped() -> None:
    handed: list[int] = []
    gate = WriteGate(lambda jobs: handed.append(len(jobs)))
    gate.finished_nowait(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        gate.put_nowait(Job(nothing))
        gate.put_nowait(Job(nothing))
        gate.stop()
    assert handed == [2]
