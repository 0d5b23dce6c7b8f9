"""The contract suites run against every back end; a new one is one more parameter."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from regserver.ports.store import Store
from regserver.store.sqlite import open_sqlite
from tests.fake import NAME_HASH
from tests.store.postgres import PostgresStore, cluster


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """Makes empty, migrated databases of one PostgreSQL cluster."""
    with cluster() as make:
        yield make


@pytest.fixture(params=["sqlite", "postgres"])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty store."""
    if request.param == "postgres":
        with closing(PostgresStore(request.getfixturevalue("new_database")())) as postgres:
            yield postgres
        return
    async with open_sqlite(tmp_path / "contract.db", hash_name=NAME_HASH) as store:
        yield store
