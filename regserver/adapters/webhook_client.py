"""HTTP to the receivers of webhooks, whose addresses anybody who may add one chooses.

Connections go to checked addresses (guarded_network). Redirects are not followed, and compression is not asked for.
"""

import ssl
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType

import httpcore
import trio

from regserver.adapters.guarded_network import PrivateAddress, guarded_pool, seconds_to_wait
from regserver.domain.instant import Duration
from regserver.ports.webhook_sender import WebhookAnswer, WebhookFault, WebhookSender

MAX_ANSWER_BYTES = 64 * 1024
"""Of an answer's body; the rest is not read, and its connection closed."""
MOST_CONNECTIONS = 32
LONGEST_RETRY_AFTER = 3600


class WebhookClient(WebhookSender, AbstractAsyncContextManager["WebhookClient"]):
    """timeout: from the first byte of a request to the last that is read of its answer. tls: see guarded_pool."""

    def __init__(self, *, allow_private: bool, timeout: Duration, tls: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._pool = guarded_pool(MOST_CONNECTIONS, allow_private=allow_private, tls=tls)

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
            raise WebhookFault(f"{fault} (webhook.allow_private)") from None
        except httpcore.ConnectError as fault:
            raise WebhookFault(f"cannot be reached: {str(fault) or 'ConnectError'}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise WebhookFault(f"the connection broke: {type(error).__name__}") from None
        return WebhookAnswer(response.status, seconds_to_wait(response, LONGEST_RETRY_AFTER), beginning)


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
