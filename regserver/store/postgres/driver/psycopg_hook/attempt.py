"""Connecting: the attempts that a connection string stands for, and one of them.

As psycopg does it, except that Trio resolves names and waits.
"""

from collections.abc import Sequence
from typing import TypeVar

import psycopg
import trio
from psycopg import errors
from psycopg._conninfo_utils import get_param, get_param_def, is_ip_address, split_attempts
from psycopg.abc import ConnDict
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from regserver.store.postgres.driver.psycopg_hook.trio_connection import TrioConnection
from regserver.store.postgres.driver.readiness import drive_alone

C = TypeVar("C", bound=TrioConnection)


async def connect_attempt(kind: type[C], attempt: ConnDict, seconds: float) -> C:
    """Connects to one address. Raises psycopg.Error, errors.ConnectionTimeout after so many seconds."""
    with trio.move_on_after(seconds):
        return await drive_alone(kind._connect_gen(make_conninfo("", **attempt)))
    raise errors.ConnectionTimeout("connection timeout expired")


async def attempts(conninfo: str) -> list[ConnDict]:
    """What to try in turn: one set of parameters for each host, address, and wished kind of server. Raises psycopg.Error."""
    parameters = conninfo_to_dict(conninfo)
    prefers_standby = get_param(parameters, "target_session_attrs") == "prefer-standby"
    if prefers_standby:
        parameters.pop("target_session_attrs", None)
    found: list[ConnDict] = []
    unknown: psycopg.Error | None = None
    for each in split_attempts(parameters):
        try:
            found += await _resolved(each)
        except OSError as error:
            unknown = psycopg.OperationalError(f"failed to resolve host {each.get('host')!r}: {error}")
    if not found and unknown is not None:
        raise unknown
    standbys: list[ConnDict] = [{**each, "target_session_attrs": "standby"} for each in found]
    return (
        [*standbys, *({**each, "target_session_attrs": "any"} for each in found)]
        if prefers_standby
        else found
    )


async def _resolved(attempt: ConnDict) -> Sequence[ConnDict]:
    host = get_param(attempt, "host")
    if not host or host.startswith(("/", "@")) or get_param(attempt, "hostaddr"):
        return [attempt]
    if is_ip_address(host):
        return [{**attempt, "hostaddr": host}]
    default = get_param_def("port")
    port = get_param(attempt, "port") or (default.compiled if default else None) or "5432"
    found = await trio.socket.getaddrinfo(
        host, port, type=trio.socket.SOCK_STREAM, proto=trio.socket.IPPROTO_TCP
    )
    return [{**attempt, "hostaddr": str(each[4][0])} for each in found]
