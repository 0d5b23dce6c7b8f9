"""A server that runs already, asked at the addresses of its configuration."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from regserver.config import Loaded

TIMEOUT_SECONDS = 3.0
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  (nothing is bound to them here)


class RunningServer(msgspec.Struct, frozen=True):
    """What GET /health/ready answered. parts: by name, "ok" or what is wrong; none where we do not count as the operator."""

    status: str
    parts: Mapping[str, str] = {}


def running_server(loaded: Loaded, bind: str) -> RunningServer | None:
    """The server that listens at one of its own addresses; None where none answers as one of ours."""
    settings, address = loaded.settings, bind.partition("?")[0]
    scheme = "https" if settings.server.tls_cert else "http"
    options: dict[str, Any] = {"verify": False}  # the certificate is for the name that clients use
    if address.startswith("unix:"):
        options["uds"], address = address.removeprefix("unix:"), "localhost"
    else:
        host, _, port = address.rpartition(":")
        address = f"{WILDCARDS.get(host, host)}:{port}"
    bearer = settings.operations.bearer
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        with httpx.Client(transport=httpx.HTTPTransport(**options), timeout=TIMEOUT_SECONDS) as client:
            answer = client.get(f"{scheme}://{address}/health/ready", headers=headers)
        return msgspec.json.decode(answer.content, type=RunningServer)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, UnicodeDecodeError):
        return None
