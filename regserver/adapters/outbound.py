"""One HTTP request to somebody else's service, bounded in time and size.

Redirects are not followed and compression is not asked for, since neither could be bounded. What goes wrong is told in
words that hold nothing of the request: it carries phone numbers, codes and secrets.
"""

from collections.abc import Mapping

import httpx
import msgspec
import trio

from regserver.domain.instant import Duration

MAX_ANSWER_BYTES = 256 * 1024


class NoAnswer(Exception):
    """There was none in time, or none that can be read. The message is for the operator's log."""


class Answer(msgspec.Struct, frozen=True):
    """status: whatever it was. body: the bytes as they came."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def outbound_client() -> httpx.AsyncClient:
    """Shared by everything that asks: without timeouts, proxies or redirects of its own."""
    return httpx.AsyncClient(
        trust_env=False,
        timeout=httpx.Timeout(None),
        follow_redirects=False,
        headers={"accept-encoding": "identity"},
    )


class Outbound:
    """client: of `outbound_client`. limit: how long one request may take, from its first byte to the answer's last."""

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
    ) -> Answer:
        """Raises NoAnswer."""
        try:
            with trio.fail_after(self._limit.seconds):
                async with self._client.stream(
                    method, url, headers=headers, data=form, content=content
                ) as response:
                    return Answer(response.status_code, await _body(response))
        except trio.TooSlowError:
            raise NoAnswer(f"no answer in {self._limit.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise NoAnswer(f"cannot be reached: {type(error).__name__}") from None


async def _body(response: httpx.Response) -> bytes:
    """What comes too much is let go by: httpx's streams want to be read to their end, and time is bounded anyway."""
    body = b""
    async for piece in response.aiter_raw():
        if len(body) <= MAX_ANSWER_BYTES:
            body += piece
    if len(body) > MAX_ANSWER_BYTES:
        raise NoAnswer("a very long answer")
    return body
