"""Some kills with every run of the tests; `make crash-accounts` has two hundred."""

from pathlib import Path

import pytest

from tests.crash.account_checker import AccountChecker
from tests.crash.change import CHANGES

KILLS = 20


# The HTTP client leaves a generator behind when the server dies while it is sending.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx.*ByteStream.__aiter__':ResourceWarning")
async def test_an_account_is_as_before_a_change_or_as_after_it(tmp_path: Path) -> None:
    checker = AccountChecker(tmp_path, seed=1)
    await checker.run(KILLS)
    assert checker.kills == KILLS
    assert checker.counts.total() == KILLS * len(CHANGES)
    assert checker.counts["answered"] > 0
    assert checker.counts["not done"] > 0
