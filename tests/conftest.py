"""What tests of several folders share: one cluster of PostgreSQL, and new databases on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cli.shell import Shell
from tests.peer.postgres import Cluster
from tests.store.postgres.held_store import databases

# A busy machine takes longer; what a test says of its time it counts itself.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests that do not stop it."""
    with Cluster.create() as made:
        yield made


@pytest.fixture(scope="session")
def new_database(cluster: Cluster) -> Callable[[], str]:
    """Makes empty, migrated databases."""
    return databases(cluster)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line, on a store in the test's folder."""
    return Shell(tmp_path, capsys)
