"""Connecting."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio

from regserver.store.postgres.driver import (
    ConnectFailed,
    PgConnection,
    ServerStopping,
    StatementFault,
    TooManyConnections,
    connect,
)
from tests.peer.postgres import Cluster, free_port, make_certificate
from tests.store.postgres.driver.cutter import Cutter, Mode
from tests.store.postgres.driver.moment import until


async def answers(connection: PgConnection) -> bool:
    async with connection:
        return bool(await connection.value("SELECT $1::bigint", 7) == 7)


async def test_by_unix_socket(cluster: Cluster) -> None:
    connection = await connect(cluster.place("postgres"))
    assert connection.raw.info.host == str(cluster.folder)
    assert await answers(connection)


async def test_by_tcp_and_url(cluster: Cluster) -> None:
    assert await answers(await connect(cluster.url("postgres")))


async def test_words_take_precedence(cluster: Cluster) -> None:
    async with await connect(
        cluster.place("nowhere"), dbname="postgres", application_name="a'b c"
    ) as connection:
        assert await connection.value("SHOW application_name") == "a'b c"


async def test_tls_with_the_certificate_checked(cluster: Cluster) -> None:
    words = f"host=localhost hostaddr=127.0.0.1 port={cluster.port} user=test dbname=postgres"
    async with await connect(f"{words} sslmode=verify-full sslrootcert={cluster.certificate}") as connection:
        assert connection.raw.pgconn.ssl_in_use
        # More than one record of TLS, in both directions.
        assert await connection.value("SELECT md5($1)", "x" * 1_000_000) is not None
        assert len(await connection.value("SELECT repeat('y', 1000000)")) == 1_000_000


async def test_tls_is_not_trusted_by_another_root(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other.crt"
    make_certificate(tmp_path / "other.key", other)
    words = f"host=localhost hostaddr=127.0.0.1 port={cluster.port} user=test dbname=postgres"
    with pytest.raises(ConnectFailed, match="certificate verify failed"):
        await connect(f"{words} sslmode=verify-full sslrootcert={other}")


async def test_tls_under_another_name_is_refused(cluster: Cluster) -> None:
    words = f"host=127.0.0.1 port={cluster.port} user=test dbname=postgres sslmode=verify-full"
    with pytest.raises(ConnectFailed, match="does not match host name"):
        await connect(f"{words} sslrootcert={cluster.certificate}")


async def test_the_next_host_is_tried(cluster: Cluster) -> None:
    hosts = f"host=127.0.0.1,127.0.0.1 port={free_port()},{cluster.port} user=test dbname=postgres"
    assert await answers(await connect(hosts))


async def test_a_host_that_does_not_answer_costs_one_timeout(cluster: Cluster, cutter: Cutter) -> None:
    cutter.mode = Mode.STALL
    hosts = f"host=127.0.0.1,127.0.0.1 port={cutter.port},{cluster.port} user=test dbname=postgres"
    assert await answers(await connect(hosts, 0.2))
    assert cutter.accepted == 1


async def test_all_hosts_fail(cluster: Cluster, cutter: Cutter) -> None:
    cutter.mode = Mode.STALL
    hosts = f"host=127.0.0.1,127.0.0.1 port={cutter.port},{free_port()} user=test dbname=postgres"
    with pytest.raises(ConnectFailed, match=r"timeout expired; connection failed: .*refused"):
        await connect(hosts, 0.2)


async def test_a_timeout_is_told(cutter: Cutter, cluster: Cluster) -> None:
    cutter.mode = Mode.STALL
    with pytest.raises(ConnectFailed, match="timeout expired"):
        await connect(cluster.url("postgres", cutter.port), 0.1)


@pytest.mark.parametrize(
    ("wish", "read_only", "found"),
    [
        ("read-write", False, True),
        ("read-write", True, False),
        ("read-only", True, True),
        ("read-only", False, False),
        ("primary", False, True),
        ("standby", False, False),
        ("prefer-standby", False, True),
        ("any", True, True),
    ],
)
async def test_the_wished_kind_of_server(
    connection: PgConnection, place: str, database: str, wish: str, read_only: bool, found: bool
) -> None:
    await connection.script(f"ALTER DATABASE {database} SET default_transaction_read_only = {read_only}")
    wished = f"{place} target_session_attrs={wish}"
    if found:
        assert await answers(await connect(wished))
    else:
        with pytest.raises(ConnectFailed):
            await connect(wished)


class Names(trio.abc.HostnameResolver):
    """Knows one name, with an address where nobody listens and one where the server does."""

    async def getaddrinfo(self, host: Any, port: Any, family: int = 0, type: int = 0, *rest: int) -> Any:  # noqa: A002
        if host != b"two.test":
            raise OSError("no such name")
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        raise NotImplementedError


async def test_all_addresses_of_a_name_are_tried(cluster: Cluster) -> None:
    trio.socket.set_custom_hostname_resolver(Names())
    assert await answers(await connect(f"host=two.test port={cluster.port} user=test dbname=postgres"))


async def test_an_unknown_name(cluster: Cluster) -> None:
    trio.socket.set_custom_hostname_resolver(Names())
    with pytest.raises(ConnectFailed, match=r"failed to resolve host 'none\.test'"):
        await connect("host=none.test user=test")


async def test_a_database_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(ConnectFailed, match='database "nowhere" does not exist'):
        await connect(cluster.place("nowhere"))


async def test_words_that_are_none() -> None:
    with pytest.raises(StatementFault, match='invalid connection option "colour"'):
        await connect("colour=red")


async def test_a_role_at_its_limit(cluster: Cluster, connection: PgConnection) -> None:
    await connection.script("DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    async with await connect(cluster.place("postgres"), user="few"):
        with pytest.raises(TooManyConnections):
            await connect(cluster.place("postgres"), user="few")


async def test_a_server_that_is_full() -> None:
    with Cluster.create(max_connections="5", superuser_reserved_connections="1") as small:
        async with await connect(small.place("postgres")) as first:
            await first.script("CREATE ROLE plain LOGIN")
            held = [await connect(small.place("postgres"), user="plain") for _ in range(3)]
            with pytest.raises(TooManyConnections):
                await connect(small.place("postgres"), user="plain")
            for each in held:
                each.close()


async def test_cancelled_while_connecting_leaves_no_socket(cluster: Cluster, cutter: Cutter) -> None:
    cutter.mode = Mode.STALL
    await trio.lowlevel.checkpoint()
    before = sorted(os.listdir("/proc/self/fd"))
    with trio.move_on_after(0.1) as scope:
        await connect(cluster.url("postgres", cutter.port))
    assert scope.cancelled_caught
    cutter.reset()
    await until(lambda: open_files() == before)


def open_files() -> Sequence[str]:
    return sorted(os.listdir("/proc/self/fd"))


async def test_cancelled_at_each_point_of_connecting(cluster: Cluster) -> None:
    """However far it came: no socket is left, and the next attempt succeeds."""
    before = open_files()
    for seconds in (0, 0.0005, 0.001, 0.002, 0.004, 0.008):
        with trio.move_on_after(seconds):
            (await connect(cluster.url("postgres"))).close()
    assert open_files() == before
    assert await answers(await connect(cluster.url("postgres")))


async def connect_forever(place: str) -> None:
    with trio.fail_after(20):
        while True:
            (await connect(place)).close()


async def test_a_server_that_starts_or_stops_is_told_apart(cluster: Cluster) -> None:
    """Those words are libpq's; the state comes with them."""
    with Cluster.create() as own:
        async with await connect(own.place("postgres")) as connection:
            own.signal_stop()
            with pytest.raises(ServerStopping):
                await connect_forever(own.place("postgres"))
            assert not connection.closed
