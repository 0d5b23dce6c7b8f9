"""The started server for browser tests, driven without Trio: the browser tool's calls block."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

SETTINGS = (
    "log.format=json",
    "limits.enabled=false",  # every test signs up from one address
    "password.time_cost=1",
    "password.memory=4MiB",
)
PATIENCE_SECONDS = 20

ROSTER = """
[[user]]
username = "ada"
password = "correct horse battery"
first_name = "Ada"
middle_name = "King"
last_name = "Lovelace"
delay = "150ms"

[[user]]
username = "alan"
password = "enigma bombe"
first_name = "Alan"
last_name = "Turing"
delay = "500ms"

[[user]]
username = "donald"
password = "volume four"
first_name = "Donald"
last_name = "Knuth"
delay = "5s"

[[user]]
username = "rosalind"
password = "photograph 51"
first_name = "Rosalind"
last_name = "Franklin"
delay = "150ms"

[[user]]
username = "edsger"
password = "goto considered harmful"
first_name = "Edsger"
last_name = "Dijkstra"
delay = "1s"

[[user]]
username = "grace"
password = "nanosecond wire"
first_name = "Grace"
last_name = "Hopper"
delay = "50ms"

[[user]]
username = "lise"
password = "fission explained"
first_name = "Lise"
last_name = "Meitner"
delay = "50ms"

[[user]]
username = "marie"
password = "radium and polonium"
first_name = "Marie"
last_name = "Curie"
delay = "50ms"

[[user]]
username = "hedy"
password = "frequency hopping"
first_name = "Hedy"
last_name = "Lamarr"
delay = "50ms"
"""


class Server:
    """`regserver serve` with its own folder. It can be ended and started again on the same port and database."""

    def __init__(self, folder: Path, settings: Sequence[str] = ()) -> None:
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._drain = threading.Thread()
        self._bind = "127.0.0.1:0"
        self.url = ""
        self.database = folder / "test.db"
        self.log: list[str] = []
        (folder / "roster.toml").write_text(ROSTER, encoding="utf-8")

    def _command(self, *words: str) -> list[str]:
        given = (
            *SETTINGS,
            f"server.bind={self._bind}",
            f"store.url=sqlite:{self.database}",
            f"live.file.path={self._folder / 'roster.toml'}",
            *self._settings,
        )
        command = [sys.executable, "-m", "regserver", *words]
        for setting in given:
            command += ["--set", setting]
        return command

    def command(self, *words: str) -> str:
        """What a command of the operator prints, beside the running server."""
        done = subprocess.run(
            self._command(*words), cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        command = self._command("serve")
        # Kept before it is known to serve: whoever made this object ends it, whatever happens.
        self._process = subprocess.Popen(command, cwd=self._folder, stderr=subprocess.PIPE, text=True)
        self.url = self._wait_serving(self._process)
        self._bind = self.url.removeprefix("http://")

    def _wait_serving(self, process: subprocess.Popen[str]) -> str:
        """Reads the log up to the line with the address; the rest is read in the background, so that it never fills up."""
        assert process.stderr is not None
        patience = threading.Timer(PATIENCE_SECONDS, process.kill)  # a silent server ends its log this way
        patience.start()
        try:
            for line in process.stderr:
                self.log.append(line)
                if "is serving" in line:
                    self._drain = threading.Thread(
                        target=self.log.extend, args=(process.stderr,), daemon=True
                    )
                    self._drain.start()
                    return str(json.loads(line)["message"].split()[-1])
        finally:
            patience.cancel()
        raise AssertionError("the server did not start:\n" + "".join(self.log))

    def stop(self) -> None:
        if self._process is None:
            return
        with self._process as process:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()
                self._drain.join(PATIENCE_SECONDS)
        self._process = None


@contextlib.contextmanager
def running_server(folder: Path, *settings: str) -> Iterator[Server]:
    """settings: as section.key=value, over those that all tests share."""
    server = Server(folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
