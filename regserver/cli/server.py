"""`regserver server show|registrations`: whether the running server is well, and what it does."""

import argparse
from typing import Any

from regserver.cli import FAILED, FINE
from regserver.cli.server_call import require_server
from regserver.cli.told import Told, tell


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("show", "registrations"),
        help="show: every part, and whether it is well, with exit code 1 unless all are; registrations: the live registrations that run",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = (
        'Exit codes of show: 0 while the server is "ready"; 1 while it is "degraded" or "not ready", and where no server answers;'
        " 2 where the configuration cannot be used."
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints what the server says of itself. show: FAILED unless every part is well."""
    path = "/admin/server" if chosen.action == "show" else "/admin/registrations"
    answer = require_server(chosen, "GET", path)
    if answer.status != 200:
        answer.refused("the server")
    if chosen.action == "registrations":
        found = answer.value["registrations"]
        tell(chosen, Told(tuple(map(_job_line, found)) or ("none run",), found))
        return FINE
    tell(chosen, Told(_server_lines(answer.value), answer.value))
    return FINE if answer.value["status"] == "ready" else FAILED


def _server_lines(found: dict[str, Any]) -> tuple[str, ...]:
    count = found["registrations"]
    return (
        f"regserver {found['version']} is {found['status']}",
        *(f"{name:10} {state}" for name, state in found["parts"].items()),
        f"{count} live {'registration runs' if count == 1 else 'registrations run'}",
    )


def _job_line(job: dict[str, Any]) -> str:
    total = "?" if job["total"] < 0 else job["total"]
    return f"{job['username']:24}  step {job['step']} of {total}, for {job['seconds']} s"
