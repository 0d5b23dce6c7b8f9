"""PostgreSQL: a cluster of our own in a temporary folder, on a unix socket and a port of 127.0.0.1.

    with Cluster.create() as cluster:
        psycopg.connect(cluster.place("postgres"))

initdb refuses root, so there the cluster belongs to `nobody`. Nothing is flushed to the disk unless a test asks for it.
The end of the block stops it, whatever happens.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg

from tests.peer.required import find_program

NOBODY = 65534
USER = "test"
SETTINGS: Mapping[str, str] = {"fsync": "off", "deadlock_timeout": "100ms", "max_connections": "40"}
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def _owner() -> int | None:
    return NOBODY if os.getuid() == 0 else None


def _run(words: Sequence[str]) -> None:
    done = subprocess.run(words, user=_owner(), capture_output=True, timeout=120, umask=0o077)
    assert done.returncode == 0, done.stderr.decode()


def make_certificate(key: Path, certificate: Path) -> None:
    """Writes a new key and its self-signed certificate for localhost, for its owner alone."""
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A cluster that is made once, and started and stopped as a test wishes.

    folder: of its data, its unix socket, and its certificate for localhost. settings: those of postgresql.conf, beside SETTINGS.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], primary: "Cluster | None" = None) -> None:
        """primary: a cluster that runs, of which this one becomes a standby that streams from it."""
        self.folder = folder
        self.port = free_port()
        self._settings = {**SETTINGS, **settings}
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0
        self.data = folder / "data"
        self.certificate = folder / "server.crt"
        words = ["-D", str(self.data), "-U", USER, "--no-sync"]
        if primary is None:
            # It sorts as English does, like many an operator's: what is to be sorted by code points says so.
            sorts = ["--locale=C", "--locale-provider=icu", "--icu-locale=en"]
            _run([_program("initdb"), *words, "-A", "trust", "-E", "UTF8", *sorts])
        else:
            words += ["-h", str(primary.folder), "-p", str(primary.port), "-R", "-c", "fast"]
            _run([_program("pg_basebackup"), *words])
        key = folder / "server.key"
        make_certificate(key, self.certificate)
        if (owner := _owner()) is not None:
            os.chown(key, owner, owner)
        key.chmod(0o600)
        self._settings |= {"ssl": "on", "ssl_cert_file": str(self.certificate), "ssl_key_file": str(key)}

    def start(self, **settings: str) -> None:
        """Starts the server and waits until it answers. settings: for this time."""
        given = {**self._settings, "listen_addresses": "127.0.0.1", "port": str(self.port), **settings}
        words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [_program("postgres"), "-D", str(self.data), "-k", str(self.folder), *words],
                user=_owner(),
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for whoever uses it
            )
        self._until_up()

    def _until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._server is not None
            assert self._server.poll() is None, (self.folder / "log").read_text()
            try:
                psycopg.connect(self.place("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("PostgreSQL did not start: " + (self.folder / "log").read_text())

    def signal_stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Tells the server to stop, and does not wait."""
        assert self._server is not None
        self._server.send_signal(how)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGTERM waits for the clients, SIGINT ends them, SIGQUIT ends without a checkpoint."""
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def require_standby(self) -> None:
        """From now on a commit is acknowledged only when a standby has it too; returns when one does."""
        with psycopg.connect(self.place("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline:
                if connection.execute(
                    "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
                ).fetchone():
                    return
                time.sleep(0.05)
        raise RuntimeError("no standby streams: " + (self.folder / "log").read_text())

    def fall_behind(self, primary: "Cluster") -> None:
        """A standby takes in what its primary has, and nothing more from then on."""
        with psycopg.connect(primary.place("postgres")) as connection:
            end = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        with psycopg.connect(self.place("postgres"), autocommit=True) as connection:
            self._until(connection, "SELECT pg_last_wal_replay_lsn() >= %s", end)
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
            self._until(connection, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")

    def _until(
        self,
        connection: "psycopg.Connection[tuple[object, ...]]",
        asked: LiteralString,
        given: Sequence[object] | None = None,
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while connection.execute(asked, given).fetchone() != (True,):
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def promote(self) -> None:
        """Makes a standby the primary. It needs no standby of its own then."""
        with psycopg.connect(self.place("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")

    def restart(self) -> None:
        """Ends all connections."""
        self.stop(signal.SIGINT)
        self.start()

    def place(self, database: str) -> str:
        """How to connect, by the unix socket."""
        return f"host={self.folder} port={self.port} user={USER} dbname={database}"

    def url(self, database: str, port: int | None = None) -> str:
        """How to connect, by TCP. port: of a proxy in front."""
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{database}"

    def create_database(self, template: str = "template1", name: str | None = None) -> str:
        """Makes a database as a copy of another one; returns its name."""
        self._made += 1
        name = name or f"test{self._made}"
        with psycopg.connect(self.place("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return name

    def drop_database(self, name: str) -> None:
        """Ends its connections, too."""
        with psycopg.connect(self.place("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @classmethod
    @contextmanager
    def create(cls, *, primary: "Cluster | None" = None, **settings: str) -> "Iterator[Cluster]":
        """Makes a cluster, or a standby of one, and starts it. The end stops it and removes its folder."""
        with tempfile.TemporaryDirectory(prefix="regserver-pg-", ignore_cleanup_errors=True) as name:
            if (owner := _owner()) is not None:
                os.chown(name, owner, owner)
            cluster = cls(Path(name), settings, primary)
            try:
                cluster.start()
                yield cluster
            finally:
                cluster.stop()


def _program(name: str) -> str:
    """From the newest version that is installed; Debian keeps it out of PATH."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: -int(path.parts[4])
    )
    return find_program("postgresql", *map(str, installed), name)
