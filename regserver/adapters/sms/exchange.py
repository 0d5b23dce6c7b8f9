"""Requests to a provider, bounded in time. What comes back is judged by the driver; what went out is never logged."""

from collections.abc import Mapping

import httpx
import trio

from regserver.domain.instant import Duration
from regserver.ports.adapter import SmsFault

MAX_REPLY_BYTES = 256 * 1024


class Exchange:
    """client: shared by all providers. limit: how long one request may take."""

    def __init__(self, client: httpx.AsyncClient, limit: Duration) -> None:
        self._client = client
        self._limit = limit

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer, whatever its status. Raises SmsFault when there is none in time."""
        try:
            with trio.fail_after(self._limit.seconds):
                response = await self._client.request(
                    method, url, headers=headers, data=form, content=content
                )
        except trio.TooSlowError:
            raise SmsFault(f"no answer in {self._limit.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SmsFault(f"cannot be reached: {type(error).__name__}") from None
        if len(response.content) > MAX_REPLY_BYTES:
            raise SmsFault("a very long answer")
        return response
