"""What only the running server can do, asked of it below /admin: a command shows that it may read the server's key."""

import argparse
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

import httpx
import msgspec

from regserver.adapters.derived_key import ticket_seal
from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemClock
from regserver.cli import CommandFault, configuration
from regserver.cli.operator import local_operator, meaning
from regserver.cli.running import open_client, served_binds
from regserver.config import Loaded, store_place
from regserver.domain import operator_outcome, outcome
from regserver.domain.command_ticket import request_to_sign
from regserver.domain.outcome import Refusal

TIMEOUT_SECONDS = 60.0
"""A reload reads everything anew, and a message for trying waits for the mail server."""


class ServerAnswer(msgspec.Struct, frozen=True):
    """value: of the JSON body; None without one."""

    status: int
    value: Any

    def refused(self, thing: str) -> NoReturn:
        """Raises CommandFault with what the refusal means. thing: what was asked for."""
        body = self.value if isinstance(self.value, dict) else {}
        name = str(body.get("error", self.status))
        kind = getattr(operator_outcome, name, None) or getattr(outcome, name, None)
        if name == "BadToken":
            raise CommandFault("the server does not know this key: is server.key another one than it has?")
        if isinstance(kind, type) and issubclass(kind, Refusal):
            raise CommandFault(f"{thing}: {body.get('hint') or meaning(kind)}")
        raise CommandFault(f"{thing}: the server answered {name}")


def call_server(
    chosen: argparse.Namespace, method: str, path: str, body: Mapping[str, object] | None = None
) -> ServerAnswer | None:
    """Asks the running server; None where none answers. Raises ConfigFault, ServerKeyFault."""
    return ask_server(configuration(chosen), method, path, body)


def ask_server(
    loaded: Loaded, method: str, path: str, body: Mapping[str, object] | None = None
) -> ServerAnswer | None:
    """The same by settings of which some may be wrong: the server is asked where it listens, whatever they say of that."""
    content = b"" if body is None else msgspec.json.encode(body)
    target, _, query = path.partition("?")
    signed = request_to_sign(method, f"{target}?{query}" if query else target, content)
    place = store_place(loaded)
    if not place.key.exists():  # there was no server yet
        return None
    name = local_operator().actor.removeprefix("command ")
    ticket = ticket_seal(read_server_key(place.key)).ticket(name, SystemClock().now(), signed)
    headers = {"authorization": f"Bearer {ticket}", "content-type": "application/json"}
    for bind, tls in served_binds(loaded):
        try:
            with open_client(bind, TIMEOUT_SECONDS, tls=tls) as client:
                found = client.request(method, path, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            continue
        with suppress(ValueError):  # another program's page
            return ServerAnswer(found.status_code, found.json() if found.content else None)
    return None


def require_server(
    chosen: argparse.Namespace, method: str, path: str, body: Mapping[str, object] | None = None
) -> ServerAnswer:
    """The same. Raises CommandFault where no server answers, ConfigFault, ServerKeyFault."""
    answer = call_server(chosen, method, path, body)
    if answer is None:
        raise no_server(configuration(chosen))
    return answer


def no_server(loaded: Loaded) -> CommandFault:
    """What to say where none answers."""
    return CommandFault(f"no server answers at {' '.join(bind for bind, _ in served_binds(loaded))}")
