"""`regserver reload`: lets the running server read its settings again, and says what came of it."""

import argparse

from regserver.cli import FAILED, FINE
from regserver.cli.server_call import require_server
from regserver.cli.told import Told, tell


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Prints which settings were taken, and which need a restart. FAILED where none was, since something is wrong."""
    answer = require_server(chosen, "POST", "/admin/reload")
    if answer.status != 200:
        answer.refused("reload")
    found = answer.value
    lines = [f"not reloaded: {each}" for each in found["faults"]]
    if not lines:
        lines.append(f"reloaded: {' '.join(found['changed']) or 'nothing has changed'}")
    lines += [f"{name} has changed, which needs a restart" for name in found["needsRestart"]]
    tell(chosen, Told(tuple(lines), found))
    return FAILED if found["faults"] else FINE
