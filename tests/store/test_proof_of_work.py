"""Each solution of a puzzle counts once, also at the same moment and for several processes."""

import trio

from regserver.domain.altcha import PuzzleSeal
from regserver.ports.store import Store
from regserver.service.proof_of_work import ProofOfWork
from tests.altcha import solve
from tests.fake import ManualClock, SeededRandomness

SEAL = PuzzleSeal(bytes(32))


def proof_of(store: Store, clock: ManualClock, work: int = 1) -> ProofOfWork:
    return ProofOfWork(store, clock, SeededRandomness(), SEAL, work)


async def test_a_solution_counts_once(any_store: Store) -> None:
    clock = ManualClock()
    proof, other = proof_of(any_store, clock, 4), proof_of(any_store, clock, 4)
    answer = solve(proof.puzzle())
    assert await proof.check(answer, "web", "")
    assert not await proof.check(answer, "web", "")
    # Another process shares the store and the key.
    assert not await other.check(answer, "ios", "192.0.2.7")
    assert await other.check(solve(proof.puzzle()), "web", "")


async def test_of_the_same_solution_at_once_one_counts(any_store: Store) -> None:
    proof = proof_of(any_store, ManualClock())
    answer, accepted = solve(proof.puzzle()), []

    async def send() -> None:
        accepted.append(await proof.check(answer, "web", ""))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(send)
    assert sorted(accepted) == [False] * 9 + [True]
