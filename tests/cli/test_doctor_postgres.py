"""The doctor on PostgreSQL: version, connections, locks, nodes; and each finding that is not well."""

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.postgres import postgres_probe
from regserver.store.postgres.postgres_probe import probe_postgres
from tests.cli.shell import Shell
from tests.peer.postgres import Cluster


def found(place: str, pool_size: int = 16) -> list[str]:
    return [f"{finding.level} {finding.text}" for finding in probe_postgres(place, "db", pool_size)]


async def test_a_database_that_is_well(
    tmp_path: Path, cluster: Cluster, new_database: Callable[[], str], shell: Shell
) -> None:
    place = new_database()
    settings = (f"store.url={cluster.url(place.rpartition('dbname=')[2])}", f"server.key={tmp_path / 'key'}")
    missing = await shell.run("doctor", "--offline", settings=settings)
    assert f"ok   store: {tmp_path / 'key'} will be created at the first start" in missing.out
    load_server_key(tmp_path / "key")
    done = await shell.run("doctor", "--offline", settings=settings)
    lines = [line for line in done.out.splitlines() if " store: " in line]
    assert lines[0].startswith("ok   store: postgresql://127.0.0.1:")
    assert "answers, PostgreSQL 1" in lines[0]
    assert any("ok   store: schema version" in line for line in lines)
    assert "ok   store: nobody waits for a lock" in lines
    assert [line for line in lines if line.startswith("FAIL")] == []
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("INSERT INTO server_key VALUES (1, 'of another key')")
    (tmp_path / "key").rename(tmp_path / "away")
    lost = await shell.run("doctor", "--offline", settings=settings)
    assert f"FAIL store: {tmp_path / 'key'} is missing" in lost.out
    (tmp_path / "away").rename(tmp_path / "key")
    other = await shell.run("doctor", "--offline", settings=settings)
    assert other.code == 1
    assert f"FAIL store: {tmp_path / 'key'}: not the key that postgresql://" in other.out


def test_an_empty_database(cluster: Cluster) -> None:
    assert "ok it is empty; the first start makes its tables" in found(
        cluster.place(cluster.create_database())
    )


def test_what_is_not_well(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    place = new_database()
    monkeypatch.setattr(postgres_probe, "WAIT_SECONDS", 0)
    monkeypatch.setattr(postgres_probe, "OPEN_SECONDS", 0)
    with (
        psycopg.connect(place, application_name="regserver alpha") as holder,
        psycopg.connect(place, application_name="regserver beta", autocommit=True) as waiter,
    ):
        holder.execute("INSERT INTO node VALUES ('alpha', 'a', 7, 0)")
        holder.commit()
        holder.execute("LOCK TABLE room")
        pid = holder.info.backend_pid
        thread = threading.Thread(target=waiter.execute, args=("DELETE FROM room",))
        thread.start()
        while not (waits := [line for line in found(place, 500) if "has waited" in line]):
            pass
        said = found(place, 500)
        holder.rollback()
        thread.join()
    assert waits[0].startswith("hint regserver beta (")
    assert waits[0].endswith(f"for a lock that process {pid} holds")
    assert any(
        line.startswith("hint regserver alpha (") and "left a transaction open" in line for line in said
    )
    assert any(line.startswith("hint node alpha has shown no sign of life") for line in said)
    assert any("want 502 connections" in line for line in said)
    assert "hint fsync is off: a crash of its machine loses what was acknowledged, or more" in said


def test_a_database_of_another_encoding(cluster: Cluster) -> None:
    with psycopg.connect(cluster.place("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    assert "fail its encoding is LATIN1: make a database with UTF8" in found(cluster.place("latin"))
