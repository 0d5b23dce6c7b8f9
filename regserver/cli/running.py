"""A server that runs already: where it listens, and asking it there."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from regserver.config import Loaded, SqlitePlace, store_place
from regserver.store.sqlite import noted_addresses

TIMEOUT_SECONDS = 3.0
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  (nothing is bound to them here)


class SeenRequest(msgspec.Struct, frozen=True):
    """A request as the server sees it: who asks, and for which scheme and host."""

    address: str
    base: str


class RunningServer(msgspec.Struct, frozen=True):
    """What GET /health/ready answered. parts: by name, "ok" or what is wrong; none where we do not count as the operator.

    seen: the request with our probe. version: of the program.
    """

    status: str
    parts: Mapping[str, str] = {}
    seen: SeenRequest | None = None
    version: str = ""


def tcp_address(bind: str) -> tuple[str, int]:
    """Host and port at which something that listens on a TCP address is reached."""
    host, _, port = bind.partition("?")[0].rpartition(":")
    return WILDCARDS.get(host, host).strip("[]"), int(port)


def running_server(loaded: Loaded, bind: str, probe: str = "") -> RunningServer | None:
    """The server that listens at one of its own addresses; None where none answers as one of ours.

    probe: asks for the request that came in with it.
    """
    bearer = loaded.settings.operations.bearer
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        with open_client(bind, TIMEOUT_SECONDS, tls=bool(loaded.settings.server.tls_cert)) as client:
            query = {"probe": probe} if probe else {}
            alive = client.get("/health/alive")
            ready = client.get("/health/ready", headers=headers, params=query)
        found = msgspec.json.decode(ready.content, type=RunningServer)
        version = msgspec.json.decode(alive.content, type=RunningServer).version
        return msgspec.structs.replace(found, version=version)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, UnicodeDecodeError):
        return None


def served_binds(loaded: Loaded) -> list[tuple[str, bool]]:
    """Where the server of this store listens, and whether with TLS: as `serve` wrote, or else by the configuration.

    Raises ConfigFault.
    """
    place = store_place(loaded)
    noted = noted_addresses(place.database) if isinstance(place, SqlitePlace) else ()
    pairs = [line.partition(" ") for line in noted] or [(_scheme(loaded), " ", each) for each in loaded.binds]
    return [(bind, scheme == "https") for scheme, _, bind in pairs]


def _scheme(loaded: Loaded) -> str:
    return "https" if loaded.settings.server.tls_cert else "http"


def open_client(bind: str, timeout_seconds: float, *, tls: bool) -> httpx.Client:
    """A client of the server that listens at one of its own addresses. Raises ValueError where that is no address."""
    address = bind.partition("?")[0]
    scheme = "https" if tls else "http"
    options: dict[str, Any] = {"verify": False}  # the certificate is for the name that clients use
    if address.startswith("unix:"):
        options["uds"], address = address.removeprefix("unix:"), "localhost"
    else:
        host, port = tcp_address(bind)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    transport = httpx.HTTPTransport(**options)
    return httpx.Client(base_url=f"{scheme}://{address}", transport=transport, timeout=timeout_seconds)
