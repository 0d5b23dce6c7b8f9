"""A few kills with every run of the tests; `make crash-rooms` has two hundred."""

from pathlib import Path

from tests.crash.checker import Checker


async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    checker = Checker(tmp_path, seed=1)
    await checker.run(5)
    assert checker.kills >= 5
    assert any(request.answer is not None for request in checker.requests)
