"""`regserver reload`: lets the running server read its settings again, and says what came of it."""

import argparse
from typing import Any

from regserver.adapters.server_key import ServerKeyFault
from regserver.app.preflight import checked
from regserver.cli import FINE, MISUSED, CommandFault, reading
from regserver.cli.server_call import ask_server, no_server
from regserver.cli.told import Told, tell
from regserver.config import ConfigFault


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = (
        "What is wrong with the configuration is told as `regserver config check` tells it; then nothing is taken, and the exit"
        " code is 2. The server is found where it listens, also if server.bind has changed."
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints which settings were taken, and which need a restart. MISUSED where none was, since something is wrong."""
    try:
        value = _reloaded(chosen)
    except ConfigFault as fault:
        if not chosen.json:
            raise
        tell(chosen, Told((), {"changed": [], "needsRestart": [], "faults": fault.faults}))
        return MISUSED
    lines = [f"reloaded: {' '.join(value['changed']) or 'nothing has changed'}"]
    lines += [f"{name} has changed, which needs a restart" for name in value["needsRestart"]]
    tell(chosen, Told(tuple(lines), value))
    return FINE


def _reloaded(chosen: argparse.Namespace) -> dict[str, Any]:
    """What the server answers. Raises ConfigFault with all that is wrong, CommandFault, ServerKeyFault."""
    found = reading(chosen)
    try:
        answer = ask_server(found.loaded, "POST", "/admin/reload")
    except (ConfigFault, ServerKeyFault):  # where the server's state is cannot be read from it
        checked(found)
        raise
    if answer is None:
        checked(found)
        raise CommandFault(
            f"{no_server(found.loaded)}; one whose store.url, server.data or server.key has changed is reached by SIGHUP alone"
        )
    if answer.status != 200:
        answer.refused("reload")
    value: dict[str, Any] = answer.value
    if value["faults"]:
        raise ConfigFault(*value["faults"])
    return value
