"""Connections to hosts that somebody else names: the receivers of webhooks, and push services.

    host → getaddrinfo → every address is public? → connect to the address that was checked
                       → one is not               → refused

The name is resolved once for each connection, and the connection goes to an address of that answer, so a name that is
resolved to another address a moment later (DNS rebinding) leads nowhere. getaddrinfo reads every spelling of an address:
decimal, octal, hexadecimal.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import trio

from regserver.adapters.trust import read_authorities
from regserver.domain.address import is_public

IDLE_SECONDS = 30.0


class PrivateAddress(Exception):
    """The host is, or has, an address that is not public. The message says which."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses. allow_private: to all of them."""

    def __init__(self, *, allow_private: bool) -> None:
        self._inner = httpcore.TrioBackend()
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (of the interface)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Tries the addresses in their order. Raises PrivateAddress, httpcore.ConnectError."""
        addresses = await self._addresses(host, port)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if not last:
                    raise
        raise httpcore.ConnectError("no address")

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name is not known") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._allow_private:
            for address in addresses:
                if not is_public(address):
                    raise PrivateAddress(f"{address} is no public address")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Part of the interface."""
        await trio.sleep(seconds)


def guarded_pool(
    most: int, *, allow_private: bool, tls: ssl.SSLContext | None = None
) -> httpcore.AsyncConnectionPool:
    """Connections to such hosts, at most so many. Takes some 30 ms where nobody has read the known authorities yet.

    allow_private: see CheckedBackend. tls: whom they trust; None: the known authorities.
    """
    return httpcore.AsyncConnectionPool(
        ssl_context=read_authorities() if tls is None else tls,
        max_connections=most,
        max_keepalive_connections=most // 2,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=CheckedBackend(allow_private=allow_private),
    )


def seconds_to_wait(response: httpcore.Response, most: int) -> int:
    """What its Retry-After asks for, in seconds; 0 where that is a date, or is not there."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(int(value), most)
    return 0
