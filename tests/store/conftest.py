"""The contract suites run against every back end; a new one is one more parameter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from regserver.ports.store import Store
from regserver.store.sqlite import open_sqlite


@pytest.fixture(params=["sqlite"])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty store."""
    assert request.param == "sqlite"
    async with open_sqlite(tmp_path / "contract.db") as store:
        yield store
