"""The compared servers, each started by its name."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks import process
from benchmarks.checkout import THIS, Checkout
from benchmarks.process import BUILD, Server, compiled, free_port

HERE = Path(__file__).parent
NODE_FOLDER = BUILD / "front"
WS_VERSION = "8.23.0"

MODULES = {
    "ours": "ours",
    "echo": "echo",
    "floor-py": "floor",
    "picows": "picows_app",
    "socketify": "socketify_app",
    "starlette": "starlette_app",
    "stock": "stock",
    "websockets": "broadcast",
}


@contextlib.contextmanager
def server(name: str, *arguments: str, checkout: Checkout = THIS) -> Iterator[Server]:
    port = free_port()
    words = [*_command(name, checkout), port, *arguments]
    with process.server(words, port, folder=checkout.folder) as running:
        yield running


def _command(name: str, checkout: Checkout) -> list[str | Path]:
    match name:
        case "floor":
            return [compiled(HERE / "floor.c")]
        case "ws":
            return ["env", f"NODE_PATH={_node_modules()}", "node", HERE / "peer" / "ws.js"]
        case _:
            return [checkout.python, "-m", f"benchmarks.front.peer.{MODULES[name]}"]


def _node_modules() -> Path:
    """Where Node finds ws, which is installed there once."""
    folder = NODE_FOLDER / "node_modules"
    if not (folder / "ws").exists():
        NODE_FOLDER.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"ws@{WS_VERSION}", "bufferutil"]
        subprocess.run(npm, cwd=NODE_FOLDER, check=True)
    return folder
