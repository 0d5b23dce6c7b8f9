"""The contract suites run against every back end; a new one is one more parameter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from regserver.ports.store import Store
from regserver.store.postgres import PostgresPolicy, open_postgres
from regserver.store.sqlite import open_sqlite
from tests.fake import NAME_HASH


@pytest.fixture(params=["sqlite", "postgres"])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty store."""
    if request.param == "postgres":
        place = request.getfixturevalue("new_database")()
        async with open_postgres(place, PostgresPolicy(least=1), NAME_HASH) as postgres:
            yield postgres
        return
    async with open_sqlite(tmp_path / "contract.db", hash_name=NAME_HASH) as store:
        yield store
