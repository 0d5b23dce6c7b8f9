"""The contract suites run against every back end; a new one is one more parameter."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from regserver.ports.store import Store
from regserver.store.postgres import open_postgres
from regserver.store.postgres.driver import PoolPolicy
from regserver.store.sqlite import open_sqlite
from tests.fake import NAME_HASH
from tests.peer.postgres import Cluster
from tests.store.postgres.held_store import databases


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests of the store."""
    with Cluster.create() as made:
        yield made


@pytest.fixture(scope="session")
def new_database(cluster: Cluster) -> Callable[[], str]:
    """Makes empty, migrated databases."""
    return databases(cluster)


@pytest.fixture(params=["sqlite", "postgres"])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty store."""
    if request.param == "postgres":
        place = request.getfixturevalue("new_database")()
        async with open_postgres(place, PoolPolicy(least=1), NAME_HASH) as postgres:
            yield postgres
        return
    async with open_sqlite(tmp_path / "contract.db", hash_name=NAME_HASH) as store:
        yield store
