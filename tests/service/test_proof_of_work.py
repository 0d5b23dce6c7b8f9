"""The built-in captcha: a solution counts until its puzzle expires, and load makes more work."""

from pathlib import Path

from regserver.domain.altcha import PuzzleSeal
from regserver.ports.store import Store
from regserver.service.proof_of_work import EASY, MAX_RISE, PUZZLE_TTL, ProofOfWork
from regserver.store.sqlite import open_sqlite
from tests.altcha import solve
from tests.fake import ManualClock, SeededRandomness

SEAL = PuzzleSeal(bytes(32))


def proof_of(store: Store, clock: ManualClock, work: int = 1) -> ProofOfWork:
    return ProofOfWork(store, clock, SeededRandomness(), SEAL, work)


async def test_a_solution_comes_too_late(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_sqlite(tmp_path / "x.db") as store:
        proof = proof_of(store, clock)
        answer = solve(proof.puzzle())
        clock.advance(PUZZLE_TTL)
        assert not await proof.check(answer, "web", "")
        assert not await proof.check("", "web", "")


async def test_load_makes_puzzles_harder_up_to_a_bound(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_sqlite(tmp_path / "x.db") as store:
        proof = proof_of(store, clock)
        works = []
        for _ in range(EASY * (MAX_RISE + 1)):
            works.append(proof.work)
            assert await proof.check(solve(proof.puzzle()), "web", "")
        assert works[: EASY + 1] == [1] * (EASY + 1)
        assert works == sorted(works)
        assert proof.work == MAX_RISE
        for _ in range(1000):
            proof.puzzle()  # asking alone raises nothing
        assert proof.work == MAX_RISE
        clock.advance(PUZZLE_TTL)
        assert proof.work == 1
