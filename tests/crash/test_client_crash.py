"""Few kills with every run of the tests; `make crash-client` has two hundred."""

from pathlib import Path

from tests.crash.client_checker import ClientChecker


async def test_a_client_misses_nothing_and_hears_nothing_twice(tmp_path: Path) -> None:
    checker = ClientChecker(tmp_path, seed=3)
    await checker.run(2)
    assert (checker.kills, checker.missed, checker.twice) == (2, 0, 0)
    assert checker.posted
