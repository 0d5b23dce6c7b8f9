"""HTTP to the receivers of webhooks, whose addresses anybody who may add one chooses.

Connections go to checked addresses (guarded_network). Redirects are not followed, and compression is not asked for.
"""

import ssl
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType

import httpcore
import trio

from regserver.adapters.guarded_network import CheckedBackend, PrivateAddress
from regserver.adapters.trust import LatePool
from regserver.domain.instant import Duration
from regserver.ports.webhook_sender import WebhookAnswer, WebhookFault, WebhookSender

MAX_ANSWER_BYTES = 64 * 1024
"""Of an answer's body; the rest is not read, and its connection closed."""
MOST_CONNECTIONS = 32
IDLE_SECONDS = 30.0
LONGEST_RETRY_AFTER = 3600


class WebhookClient(WebhookSender, AbstractAsyncContextManager["WebhookClient"]):
    """timeout: from the first byte of a request to the last that is read of its answer. tls: whom it trusts; None: everybody known."""

    def __init__(self, *, allow_private: bool, timeout: Duration, tls: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._late = LatePool(partial(_build_pool, allow_private), tls)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._late.aclose()

    async def send(self, url: str, fields: Sequence[tuple[str, str]], body: bytes) -> WebhookAnswer:
        """See the port."""
        headers = [("user-agent", "regserver"), *fields]
        try:
            with trio.fail_after(self._timeout.seconds):
                pool = await self._late.pool()
                async with pool.stream("POST", url, headers=headers, content=body) as response:
                    beginning = await _beginning(response)
        except trio.TooSlowError:
            raise WebhookFault(f"no answer in {self._timeout.seconds:g} s") from None
        except PrivateAddress as fault:
            raise WebhookFault(f"{fault} (webhook.allow_private)") from None
        except httpcore.ConnectError as fault:
            raise WebhookFault(f"cannot be reached: {str(fault) or 'ConnectError'}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise WebhookFault(f"the connection broke: {type(error).__name__}") from None
        return WebhookAnswer(response.status, _retry_after(response), beginning)


def _build_pool(allow_private: bool, tls: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=MOST_CONNECTIONS,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=CheckedBackend(allow_private=allow_private),
    )


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
