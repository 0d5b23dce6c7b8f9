"""A migrated database for a measurement, on a cluster with PostgreSQL's default settings."""

import contextlib
from collections.abc import Iterator

import trio

from regserver.domain.instant import Instant
from regserver.store.postgres import migrate_postgres
from tests.peer.postgres import Cluster


@contextlib.contextmanager
def cluster(*, flushes: bool = True) -> Iterator[Cluster]:
    """It is gone at the end. flushes: to the disk, as by default."""
    with Cluster.create(
        fsync="on" if flushes else "off", max_connections="150", deadlock_timeout="1s"
    ) as made:
        yield made


def new_database(made: Cluster) -> str:
    """Its URL."""
    url = made.url(made.create_database())
    trio.run(migrate_postgres, url, Instant(1))
    return url
