"""Autobahn's fuzzing client against regserver's sessions: python -m benchmarks.front.autobahn [CASES…]

Cases 1 to 7 and 10 by default: all of RFC 6455 but compression (which is never agreed on) and the mass tests. The suite
runs under Python 2.7 only: the one named by PYTHON27, else pyenv's, else python2.7. It is installed under
build/autobahn once. Ends with status 1 when a case fails; the report is build/autobahn/report/index.html.
"""

import collections
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.front.server import server
from benchmarks.process import BUILD

FOLDER = BUILD / "autobahn"
SITE = FOLDER / "site"
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
PACKAGE = "autobahntestsuite==25.10.1"


def find_python() -> str:
    """A Python 2.7. Raises RuntimeError when there is none."""
    found = sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python"))
    candidate = os.environ.get("PYTHON27") or (str(found[-1]) if found else shutil.which("python2.7"))
    if not candidate:
        raise RuntimeError("Autobahn needs Python 2.7: name one in PYTHON27, or run `pyenv install 2.7.18`")
    return candidate


def install(python: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (SITE / "autobahntestsuite").exists():
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", SITE, PACKAGE], cwd=FOLDER, check=True)
    (SITE / "zope" / "__init__.py").touch()  # a namespace package that pip --target leaves without one


def run(python: str, cases: list[str], port: int) -> None:
    spec = {
        "outdir": str(FOLDER / "report"),
        "servers": [{"agent": "regserver", "url": f"ws://127.0.0.1:{port}/"}],
        "cases": cases,
        "exclude-cases": [],
    }
    (FOLDER / "spec.json").write_text(json.dumps(spec))
    code = "import sys; from autobahntestsuite.wstest import run; sys.exit(run())"
    subprocess.run(
        [python, "-c", code, "-m", "fuzzingclient", "-s", str(FOLDER / "spec.json")],
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": str(SITE)},
        stdout=subprocess.DEVNULL,
        timeout=900,
        check=True,
    )


def judge() -> int:
    """Prints what came out; 1 when anything failed."""
    results = json.loads((FOLDER / "report" / "index.json").read_text())["regserver"]
    kinds = collections.Counter(result["behavior"] for result in results.values())
    bad = [
        name
        for name, result in results.items()
        if result["behavior"] not in ("OK", "INFORMATIONAL", "NON-STRICT")
        or result["behaviorClose"] not in ("OK", "INFORMATIONAL")
    ]
    print(f"{len(results)} cases: {dict(kinds)}; failed: {', '.join(bad) or 'none'}")
    return int(bool(bad))


def main(cases: list[str]) -> int:
    python = find_python()
    install(python)
    shutil.rmtree(FOLDER / "report", ignore_errors=True)
    with server("echo") as echo:
        run(python, cases or CASES, echo.port)
    return judge()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
