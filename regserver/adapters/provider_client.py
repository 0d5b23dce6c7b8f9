"""One HTTP request to a provider (captcha, SMS, a chain's node), bounded in time and size.

Redirects are not followed and compression is not requested, since neither could be bounded. The text of a fault contains
nothing of the request, which has phone numbers, codes and secrets.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import msgspec
import trio

from regserver.adapters.trust import known_authorities
from regserver.domain.instant import Duration
from regserver.domain.trace import current_trace

if TYPE_CHECKING:
    import httpx

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


class ProviderHttp(AbstractAsyncContextManager["ProviderHttp"]):
    """The connections that all providers share, opened by the first request. proxy: a URL; "" for none.

    The environment's proxies are not taken: like every other setting, this one is in the configuration.
    """

    def __init__(self, proxy: str = "") -> None:
        self._proxy = proxy
        self._opened: httpx.AsyncClient | None = None

    async def client(self) -> "httpx.AsyncClient":
        """The client, without timeouts or redirects."""
        tls = await known_authorities()
        if self._opened is None:  # another request may have opened it meanwhile
            import httpx  # late, and loaded by `known_authorities`

            self._opened = httpx.AsyncClient(
                verify=tls,
                proxy=self._proxy or None,
                trust_env=False,
                timeout=httpx.Timeout(None),
                follow_redirects=False,
                headers={"accept-encoding": "identity"},
            )
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.aclose()


class ProviderClient:
    """timeout: from the first byte of a request to the last byte of its answer."""

    def __init__(self, http: ProviderHttp, timeout: Duration) -> None:
        self._http = http
        self._timeout = timeout

    async def ask(self, request: ProviderRequest) -> ProviderAnswer:
        """Sends one request. Raises NoAnswer."""
        try:
            with trio.fail_after(self._timeout.seconds):
                return await _exchange(self._http, request)
        except trio.TooSlowError:
            raise NoAnswer(f"no answer in {self._timeout.seconds:g} s") from None
        except (OSError, ValueError) as error:
            raise NoAnswer(f"cannot be reached: {type(error).__name__}") from None


async def _exchange(http: ProviderHttp, request: ProviderRequest) -> ProviderAnswer:
    await known_authorities()
    import httpx  # late, and loaded by `known_authorities`; see docs/architecture.md

    try:
        client = await http.client()
        async with client.stream(
            request.method,
            request.url,
            headers={**request.headers, **_traced()},
            data=request.form,
            content=request.content,
        ) as response:
            return ProviderAnswer(response.status_code, await _body(response))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NoAnswer(f"cannot be reached: {type(error).__name__}") from None


def _traced() -> dict[str, str]:
    trace = current_trace.get()
    return {} if trace is None else {"traceparent": trace.parent}


async def _body(response: "httpx.Response") -> bytes:
    """Reads to the end, as httpx's streams need; bytes past the bound are dropped, and the timeout bounds the rest."""
    body = b""
    async for chunk in response.aiter_raw():
        if len(body) <= MAX_ANSWER_BYTES:
            body += chunk
    if len(body) > MAX_ANSWER_BYTES:
        raise NoAnswer(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return body
