"""A few kills with every run of the tests; `make crash-rooms` has two hundred."""

from pathlib import Path

import pytest

from tests.crash.checker import Checker


# The HTTP client leaves a generator behind when the server dies while it is sending.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx.*ByteStream.__aiter__':ResourceWarning")
async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    checker = Checker(tmp_path, seed=1)
    await checker.run(5)
    assert checker.kills >= 5
    assert checker.joined > 0
    assert any(request.answer is not None for request in checker.requests)
