"""Who sees what is only for the operator: metrics, and which part of the server fails."""

import hmac
from collections.abc import Sequence
from typing import Final

from regserver.domain.address import LOOPBACK_NETWORKS, Networks, host_name
from regserver.domain.secret import hash_secret
from regserver.endpoint import Request
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader

LOOPBACK: Final = Networks(LOOPBACK_NETWORKS)


class OperatorGate:
    """Admits loopback, listed networks, and the bearer of the operator's token.

    An address counts only when it is certainly the client's: a forwarder that is not trusted, or hides its client, admits
    nobody. Loopback must also have called the server by a loopback name. So neither a page whose name was made to lead here
    (DNS rebinding) nor a proxy that forwards a public name without naming its client is taken for the operator.
    """

    def __init__(self, forwarded: ForwardedReader, networks: Sequence[str] = (), token: str = "") -> None:
        """networks: as in server.trusted_proxies, without "unix". token: "" for none. Raises ValueError."""
        self._forwarded = forwarded
        self._networks = Networks(networks)
        self._token = hash_secret(token) if token else None

    def admits(self, request: Request) -> bool:
        """Whether the request is the operator's."""
        if self._token is not None:
            given = bearer(request)
            if isinstance(given, bytes) and hmac.compare_digest(given, self._token):
                return True
        requester = self._forwarded.requester(request)
        if not requester.is_known:
            return False
        if requester.address in self._networks:
            return True
        return (not requester.address or requester.address in LOOPBACK) and _is_local(
            request.headers.get("host", "")
        )


def _is_local(host: str) -> bool:
    name = host_name(host)
    return name == "localhost" or name in LOOPBACK
