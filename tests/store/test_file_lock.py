"""Where a server listens, as it writes that behind its name in the lock's file."""

import socket
import subprocess
from pathlib import Path

from regserver.store.sqlite import held, note_addresses, noted_addresses
from regserver.store.sqlite.file_lock import lock_file

ADDRESSES = ("http 127.0.0.1:8080", "http unix:/run/regserver.sock")


def test_commands_read_where_the_holder_serves(tmp_path: Path) -> None:
    database = tmp_path / "test.db"
    assert noted_addresses(database) == ()
    with held(database):
        assert noted_addresses(database) == ()
        note_addresses(database, ADDRESSES)
        assert noted_addresses(database) == ADDRESSES
    with held(database):  # a command
        assert noted_addresses(database) == ()


def test_a_server_that_was_killed_serves_nowhere(tmp_path: Path) -> None:
    database = tmp_path / "test.db"
    with held(database):
        note_addresses(database, ADDRESSES)
    over = subprocess.Popen(["true"])
    over.wait()
    of_the_dead = f"process {over.pid} on {socket.gethostname()} since 2026-01-01 00:00:00 UTC"
    elsewhere = f"process {over.pid} on another since 2026-01-01 00:00:00 UTC"
    lines = lock_file(database).read_text("utf-8").splitlines()[1:]
    for holder, found in ((of_the_dead, ()), (elsewhere, ADDRESSES), ("somebody", ADDRESSES)):
        lock_file(database).write_text("\n".join((holder, *lines)), "utf-8")
        assert noted_addresses(database) == found
