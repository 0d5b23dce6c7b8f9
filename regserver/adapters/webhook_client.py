"""HTTP to the receivers of webhooks, whose addresses anybody who may add one chooses.

    host → getaddrinfo → every address is public? → connect to the address that was checked
                       → one is not               → refused

The name is resolved once for each connection, and the connection goes to an address of that answer, so a name that is
resolved to another address a moment later (DNS rebinding) leads nowhere. getaddrinfo reads every spelling of an address:
decimal, octal, hexadecimal. Redirects are not followed, and compression is not asked for.
"""

import ssl
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

import httpcore
import httpx
import trio

from regserver.domain.address import is_public
from regserver.domain.instant import Duration
from regserver.ports.webhook_sender import WebhookAnswer, WebhookFault, WebhookSender

MAX_ANSWER_BYTES = 64 * 1024
"""Of an answer's body; the rest is not read, and its connection closed."""
MOST_CONNECTIONS = 32
IDLE_SECONDS = 30.0
LONGEST_RETRY_AFTER = 3600


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
                    raise PrivateAddress(f"{address} is no public address (webhook.allow_private)")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Part of the interface."""
        await trio.sleep(seconds)


class WebhookClient(WebhookSender, AbstractAsyncContextManager["WebhookClient"]):
    """timeout: from the first byte of a request to the last that is read of its answer. tls: whom it trusts; None: everybody known."""

    def __init__(self, *, allow_private: bool, timeout: Duration, tls: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=CheckedBackend(allow_private=allow_private),
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._pool.aclose()

    async def send(self, url: str, fields: Sequence[tuple[str, str]], body: bytes) -> WebhookAnswer:
        """See the port."""
        headers = [("user-agent", "regserver"), *fields]
        try:
            with trio.fail_after(self._timeout.seconds):
                async with self._pool.stream("POST", url, headers=headers, content=body) as response:
                    beginning = await _beginning(response)
        except trio.TooSlowError:
            raise WebhookFault(f"no answer in {self._timeout.seconds:g} s") from None
        except PrivateAddress as fault:
            raise WebhookFault(str(fault)) from None
        except httpcore.ConnectError as fault:
            raise WebhookFault(f"cannot be reached: {str(fault) or 'ConnectError'}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise WebhookFault(f"the connection broke: {type(error).__name__}") from None
        return WebhookAnswer(response.status, _retry_after(response), beginning)


async def _beginning(response: httpcore.Response) -> bytes:
    body = b""
    # Cancelled, not left: the library's generators end by their next read.
    with trio.CancelScope() as enough:
        async for chunk in response.aiter_stream():
            if len(body) < MAX_ANSWER_BYTES:
                body += chunk
            else:
                enough.cancel()
    return body[:MAX_ANSWER_BYTES]


def _retry_after(response: httpcore.Response) -> int:
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(int(value), LONGEST_RETRY_AFTER)
    return 0
