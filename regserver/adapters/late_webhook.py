"""The client of webhooks, whose library, httpcore (2 MiB), is loaded when a receiver is first told something."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from regserver.adapters.late import Late
from regserver.domain.instant import Duration
from regserver.ports.webhook_sender import WebhookAnswer, WebhookSender


class LateWebhookClient(WebhookSender, AbstractAsyncContextManager["LateWebhookClient"]):
    """allow_private, timeout: see WebhookClient, which is loaded in a thread."""

    def __init__(self, *, allow_private: bool, timeout: Duration) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._client = Late(self._load)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, url: str, fields: Sequence[tuple[str, str]], body: bytes) -> WebhookAnswer:
        """See the port."""
        client = await self._client.get()
        return await client.send(url, fields, body)

    def _load(self) -> "AbstractAsyncContextManager[WebhookSender]":
        from regserver.adapters.webhook_client import WebhookClient  # 2 MiB, 30 ms

        return WebhookClient(allow_private=self._allow_private, timeout=self._timeout)
