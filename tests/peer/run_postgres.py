"""`make run-postgres`: two nodes on a temporary cluster of PostgreSQL, for trying out; Ctrl-C ends all of it.

    python -m tests.peer.run_postgres [PORT]

The nodes listen on 127.0.0.1, at PORT and the next one (0: at any two). What they keep is gone afterwards.
"""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.peer.postgres import Cluster

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 20
NAMES = ("alpha", "beta")


Node = subprocess.Popen[str]


@contextmanager
def running_node(name: str, port: int, settings: Sequence[str]) -> Iterator[Node]:
    """A node that starts. It gets no Ctrl-C of the terminal, so that it can end before its database does."""
    command = [
        sys.executable,
        "-m",
        "regserver",
        "serve",
        "--config",
        str(ROOT / "config" / "quickstart.toml"),
    ]
    for setting in (f"server.bind=127.0.0.1:{port}", f"node.name={name}", *settings):
        command += ["--set", setting]
    with Node(command, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=ROOT) as node:
        try:
            yield node
        finally:
            node.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(STOP_SECONDS)
            node.kill()


def _until_serving(node: Node) -> str:
    """Its address. Passes its log on, now and until it ends."""
    assert node.stderr is not None
    for line in node.stderr:
        sys.stderr.write(line)
        if found := re.search(r"is serving (http://\S+)", line):
            threading.Thread(target=_pass_on, args=(node,), daemon=True).start()
            return found[1]
    raise SystemExit(1)  # it has said why


def _pass_on(node: Node) -> None:
    assert node.stderr is not None
    for line in node.stderr:
        sys.stderr.write(line)


def run(first_port: int) -> None:
    """Runs until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="regserver-trial-"))
        cluster = stack.enter_context(Cluster.create())
        url = cluster.url(cluster.create_database())
        settings = (f"store.url={url}", f"server.key={folder}/server.key", f"server.data={folder}")
        ports = [first_port and first_port + at for at in range(len(NAMES))]
        nodes = [
            stack.enter_context(running_node(name, port, settings))
            for name, port in zip(NAMES, ports, strict=True)
        ]
        addresses = [_until_serving(node) for node in nodes]
        print(f"\n  PostgreSQL  {url}")  # noqa: T201
        for name, address in zip(NAMES, addresses, strict=True):
            print(f"  {name:10}  {address}/")  # noqa: T201
        print("  Stop        with Ctrl-C\n", flush=True)  # noqa: T201
        signal.pause()


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
