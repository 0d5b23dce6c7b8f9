"""Makes the blocking client from the asynchronous one: `make blocking-client`.

The files below are the same but for `async` and `await`, as httpx and httpcore do it. A test compares.
"""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[2] / "regserver" / "client"
MADE = CLIENT / "blocking"
SOURCES = ("transport", "account", "room", "push", "step", "directory", "api")
NOTE = '"""Made by tests/client/blocking_maker.py from ../{name}.py, which says what it is for."""\n'
WORDS = (
    (r'\A""".*?"""\n', ""),
    (r"\basync def\b", "def"),
    (r"\bawait trio\.to_thread\.run_sync\((\w+)\)", r"\1()"),
    (r"\bawait ", ""),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"\bhttpx\.AsyncClient\b", "httpx.Client"),
    (r"\btrio\.sleep\b", "time.sleep"),
    (r"^import trio\n", ""),
    (r"\b(Accounts|Rooms|Pushes|Steps|Directory|Doors|HttpTransport)\b", r"Blocking\1"),
    (
        r"\bregserver\.client\.(transport|account|room|push|step|directory|api)\b",
        r"regserver.client.blocking.\1",
    ),
)


def blocking(name: str) -> str:
    """The blocking form of a file."""
    text = (CLIENT / f"{name}.py").read_text("utf-8")
    for pattern, word in WORDS:
        text = re.sub(
            pattern, word, text, flags=re.MULTILINE | (re.DOTALL if pattern.startswith(r"\A") else 0)
        )
    return _formatted(NOTE.format(name=name) + text)


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    sorted_ = _run([*ruff, "check", "--fix-only", "--quiet", "--stdin-filename", "x.py", "-"], text)
    return _run([*ruff, "format", "--quiet", "-"], sorted_)


def _run(command: list[str], text: str) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    for each in SOURCES:
        (MADE / f"{each}.py").write_text(blocking(each), "utf-8")
