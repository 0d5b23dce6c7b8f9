"""Running PostgreSQL's own programs, pg_dump and others, without a secret on their command lines."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from regserver.ports.store import StoreFault
from regserver.ports.store_dump import StillWanted

DEBIAN: Final = Path("/usr/lib/postgresql")
"""Where Debian has the programs of each version, outside of PATH."""
LOOK_SECONDS: Final = 0.2


def run_program(name: str, words: str, arguments: Sequence[str], alive: StillWanted = lambda: None) -> bytes:
    """Runs a program on a database to its end; returns what it printed. Raises StoreFault, and what `alive` raises.

    words: what libpq connects by, its password among it; "" for no database.
    """
    command, environment = [_find(name), *arguments], dict(os.environ)
    if words:
        given: dict[str, Any] = conninfo_to_dict(words)
        if password := given.pop("password", None):
            environment["PGPASSWORD"] = str(password)
        command.append(f"--dbname={make_conninfo('', **given)}")
    # Its messages are read for words, and what it prints may be long.
    environment["LC_ALL"] = "C.UTF-8"
    with subprocess.Popen(  # noqa: S603  (no shell, and no text of a stranger)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            output, said = _wait(process, alive)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise StoreFault(next((line for line in lines if "error:" in line), lines[-1]))
    return output


def _wait(process: "subprocess.Popen[bytes]", alive: StillWanted) -> tuple[bytes, bytes]:
    while True:
        alive()
        try:
            return process.communicate(timeout=LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _find(name: str) -> str:
    """The newest version that is installed: pg_dump refuses a server that is newer than itself."""
    debian = sorted(
        DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]) if path.parts[4].isdigit() else 0
    )
    found = str(debian[-1]) if debian else shutil.which(name)
    if found is None:
        raise StoreFault(f"{name} is not installed; it comes with PostgreSQL's client programs")
    return found
