"""One HTTP request to a provider (captcha, SMS, a chain's node), bounded in time and size.

Redirects are not followed and compression is not requested, since neither could be bounded. The text of a fault contains
nothing of the request, which has phone numbers, codes and secrets.
"""

from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec
import trio

from regserver.adapters.trust import LateTransport
from regserver.domain.instant import Duration
from regserver.domain.trace import current_trace

T = TypeVar("T")

MAX_ANSWER_BYTES = 256 * 1024


class NoAnswer(Exception):
    """No readable answer came in time. The message is for the operator's log."""


class ProviderRequest(msgspec.Struct, frozen=True):
    """A request. form: sent as application/x-www-form-urlencoded. content: sent unchanged."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None
    content: bytes | None = None


class ProviderAnswer(msgspec.Struct, frozen=True):
    """An answer with any status. body: as received."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def read(self, kind: type[T]) -> T | None:
        """The body as JSON of this type; None when it is not."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def open_http_client(proxy: str = "") -> httpx.AsyncClient:
    """The client that all providers share, without timeouts or redirects. proxy: a URL; "" for none.

    The environment's proxies are not taken: like every other setting, this one is in the configuration.
    """
    return httpx.AsyncClient(
        transport=LateTransport(proxy),
        trust_env=False,
        timeout=httpx.Timeout(None),
        follow_redirects=False,
        headers={"accept-encoding": "identity"},
    )


class ProviderClient:
    """http: from `open_http_client`. timeout: from the first byte of a request to the last byte of its answer."""

    def __init__(self, http: httpx.AsyncClient, timeout: Duration) -> None:
        self._http = http
        self._timeout = timeout

    async def ask(self, request: ProviderRequest) -> ProviderAnswer:
        """Sends one request. Raises NoAnswer."""
        try:
            with trio.fail_after(self._timeout.seconds):
                async with self._http.stream(
                    request.method,
                    request.url,
                    headers={**request.headers, **_traced()},
                    data=request.form,
                    content=request.content,
                ) as response:
                    return ProviderAnswer(response.status_code, await _body(response))
        except trio.TooSlowError:
            raise NoAnswer(f"no answer in {self._timeout.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise NoAnswer(f"cannot be reached: {type(error).__name__}") from None


def _traced() -> dict[str, str]:
    trace = current_trace.get()
    return {} if trace is None else {"traceparent": trace.parent}


async def _body(response: httpx.Response) -> bytes:
    """Reads to the end, as httpx's streams need; bytes past the bound are dropped, and the timeout bounds the rest."""
    body = b""
    async for chunk in response.aiter_raw():
        if len(body) <= MAX_ANSWER_BYTES:
            body += chunk
    if len(body) > MAX_ANSWER_BYTES:
        raise NoAnswer(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return body
