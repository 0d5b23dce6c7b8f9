"""The built executable serves, and has the files of other packages that it needs: `make check-binary` builds and tries it.

A data file that the executable lacks shows only there; all other tests run from an environment that has every package whole.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "dist" / "regserver"
PATIENCE_SECONDS = 60
MOST_MIB = 64
"""What a server takes that has just started; 56 when it has given back what the start has freed."""


def ask(url: str, token: str = "", body: object = None, method: str = "POST") -> Any:
    """The JSON of an answer; a refusal is an error."""
    fields = {"content-type": "application/json"} if body is not None else {}
    if token:
        fields["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, fields, method=method)  # noqa: S310  (our own server)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310
        return json.loads(response.read())


@contextmanager
def serving(folder: Path, *program: str | Path) -> Iterator[str]:
    """A server with its state in `folder`, by this program; its address."""
    folder.mkdir()
    settings = (
        "--set", "server.bind=localhost:0", "--set", "log.format=json", "--set", "server.public_url=http://localhost"
    )  # fmt: skip
    with subprocess.Popen(
        [*program, "serve", *settings], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            said = next(line for line in process.stderr if "is serving" in line)
            port = json.loads(said)["message"].split()[-1].rpartition(":")[2]
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0


def test_the_executable_serves(tmp_path: Path) -> None:
    with serving(tmp_path / "packed", PROGRAM) as url:
        ask_for_what_needs_files(url)
        described = ask(f"{url}/openapi.json", method="GET")
    # It is made of docstrings, of which the executable has those alone that are read.
    with serving(tmp_path / "plain", sys.executable, "-m", "regserver") as url:
        assert ask(f"{url}/openapi.json", method="GET") == described


def test_its_start_and_its_memory_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its memory is bounded; the time to the first answer is only told, since it is the machine's; what a kill leaves is taken up."""
    settings = ("--set", "server.bind=localhost:0", "--set", "live.source=none")
    for how in ("unpacked now", "unpacked before", "after a kill"):
        began = time.perf_counter()
        with subprocess.Popen(
            [PROGRAM, "serve", *settings], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        ) as process:  # fmt: skip
            assert process.stderr is not None
            said = next(line for line in process.stderr if "is serving" in line)
            assert "http" in said
            seconds = time.perf_counter() - began
            status = Path(f"/proc/{process.pid}/status").read_text()
            (memory,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            process.kill() if how == "unpacked before" else process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)
        assert memory / 1024 < MOST_MIB
        with capsys.disabled():
            sys.stdout.write(f"\n{how}: serving after {seconds:.2f} s, {memory / 1024:.0f} MiB\n")
    left = [path.name for path in tmp_path.rglob(".draft.*")]
    assert left == []
    assert len(list((tmp_path).glob("regserver-*/*"))) == 1


def ask_for_what_needs_files(url: str) -> None:
    """Common passwords and mail templates, QR codes, the list of public suffixes, a page."""
    person = {"username": "ann", "email": "ann@example.org", "password": "a long enough password"}
    token = ask(f"{url}/login/register", body=person)["token"]
    assert ask(f"{url}/login/totp", token)["qr"].startswith("<svg")
    assert ask(f"{url}/login/passkey/options", token)["rp"]["id"] == "localhost"
    assert ask(f"{url}/login/export", token, method="GET")["account"]["username"] == "ann"


def test_commands_work_in_it(tmp_path: Path) -> None:
    for words in (["version"], ["config", "init", "--help"], ["doctor", "--help"]):
        done = subprocess.run([PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_it_speaks_to_postgresql(tmp_path: Path) -> None:
    """libpq and psycopg's C part are packed: a database that is not there is refused by it, in one line."""
    given = ("--set", "store.url=postgresql://127.0.0.1:1/x", "--set", "server.key=key")
    done = subprocess.run(
        [PROGRAM, "migrate", *given], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("regserver: PostgreSQL: connection failed: ")
    assert done.stderr.count("\n") == 1
