"""A migrated database for a measurement, on a cluster with PostgreSQL's default settings, flushes to the disk among them."""

import contextlib
from collections.abc import Iterator

import trio

from regserver.domain.instant import Instant
from regserver.store.postgres import migrate_postgres
from tests.peer.postgres import Cluster


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """It is gone at the end."""
    with Cluster.create(fsync="on", max_connections="150", deadlock_timeout="1s") as made:
        yield made


def new_database(made: Cluster) -> str:
    """Its URL."""
    url = made.url(made.create_database())
    trio.run(migrate_postgres, url, Instant(1))
    return url
