"""An operator's executable of people, as the `command` source calls it. How it behaves is the user name's matter.

Started as: python people_command.py FOLDER verify|profile. Every process writes its number into FOLDER, and what it
was called with and found in its environment, so that a test can look whether it is gone and what it was told.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def say(**fields: Any) -> None:
    write(json.dumps(fields) + "\n")


def note(folder: Path, what: str, pid: int) -> None:
    report = {"argv": sys.argv, "environment": dict(os.environ), "parent": os.getppid()}
    (folder / f"{what}.{pid}").write_text(json.dumps(report))


def daemonise(folder: Path) -> None:
    """Leaves a process of its own session and parent, without a variable, that holds the pipes open."""
    if os.fork() == 0:
        os.setsid()
        note(folder, "daemon", subprocess.Popen(SLEEP, env={}).pid)
        os._exit(0)
    os.wait()


def verify(username: str, password: str, folder: Path) -> int:
    sys.stderr.write(f"checking {username} with {password}\n")
    if username == "deserter":
        daemonise(folder)
    if username == "slow":
        time.sleep(600)
    if username == "garbage":
        write("no JSON")
    elif username == "huge":
        write("x" * 100_000)
    elif username == "broken":
        return 3
    elif username == "killed":
        os.kill(os.getpid(), 9)
    elif password != "right":
        return 1
    else:
        say(subject=username)
    return 0


def profile(subject: str, folder: Path) -> int:
    sys.stderr.write(f"looking for {subject}\n")
    if subject in {"family", "leaver"}:  # has children of its own, which hold its pipes open
        note(folder, "child", subprocess.Popen(SLEEP).pid)
    if subject in {"hermit", "deserter"}:
        daemonise(folder)
    say(step=1, totalSteps=2, message="Opening the archive")
    if subject in {"hang", "family", "hermit"}:
        time.sleep(600)
    if subject == "crash":
        return 7
    say(step=2, totalSteps=2, message="Reading")
    say(name={"firstName": "Zoë", "middleName": None, "lastName": "Ёлкина"})
    say(done=True)
    if subject == "tidy":
        time.sleep(0.2)
        (folder / "tidied").touch()
    return 0


def main() -> int:
    folder, what = Path(sys.argv[1]), sys.argv[2]
    note(folder, what, os.getpid())
    request = json.load(sys.stdin)
    if what == "verify":
        return verify(request["username"], request["password"], folder)
    return profile(request["subject"], folder)


if __name__ == "__main__":
    sys.exit(main())
