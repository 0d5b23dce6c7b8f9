"""The `http` source: a service of the operator's.

    POST {url}/verify  {"username", "password"}  →  200 {"subject"} or 401; all else means that it cannot say
    POST {url}/profile {"subject"}               →  200 and a stream of lines of JSON

Every wait is bounded by [live.http] timeout: for the check as a whole, for the stream until it opens and between two
pieces of it. Redirects are not followed and compression is not asked for, since neither could be bounded.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import httpx
import trio

from regserver.adapters.source.exchange import (
    MAX_ANSWER_BYTES,
    profile_request,
    read_answer,
    verify_request,
)
from regserver.adapters.source.ndjson import LineReader
from regserver.config import ConfigFault, Loaded
from regserver.domain.live import Line
from regserver.ports.adapter import (
    PasswordHasher,
    Rejected,
    Source,
    SourceFault,
    Subject,
    Unavailable,
    Verdict,
)

IDLE_CONNECTIONS = 20
END_SECONDS = 0.2
"""How long the end of a stream may be behind its last line."""


class OneEach(httpx.AsyncBaseTransport):
    """A connection for each request, closed with its response.

    Profiles are open for long and by the thousand, and httpx's pool looks at all its connections whenever one comes
    or goes: that costs the square of their number.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        inner = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        try:
            response = await inner.handle_async_request(request)
        except BaseException:
            with trio.CancelScope(shield=True):  # closes sockets, waits for nobody
                await inner.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  (httpx's word for it)
        response.stream = _LastStream(response.stream, inner)
        return response


class _LastStream(httpx.AsyncByteStream):
    """The body of a response that takes its transport along."""

    def __init__(self, inner: httpx.AsyncByteStream, transport: httpx.AsyncHTTPTransport) -> None:
        self._inner = inner
        self._transport = transport

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._inner.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            with trio.CancelScope(shield=True):
                await self._transport.aclose()


class HttpSource(Source):
    """asking, telling: clients for this service alone, with its bearer and without timeouts of their own; the one for
    short questions, the other for long answers.
    """

    def __init__(
        self, asking: httpx.AsyncClient, telling: httpx.AsyncClient, url: str, timeout_seconds: float
    ) -> None:
        self._asking = asking
        self._telling = telling
        self._url = url.rstrip("/")
        self._timeout = timeout_seconds

    async def verify(self, username: str, password: str) -> Verdict:
        body = verify_request(username, password)
        try:
            with trio.fail_after(self._timeout):
                async with _post(self._asking, f"{self._url}/verify", body) as response:
                    return await _verdict(response)
        except trio.TooSlowError:
            return Unavailable(f"verify: no answer in {self._timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Unavailable(f"verify: {_name(error)}")

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[Line]]:
        async with AsyncExitStack() as stack:
            response = await self._open(stack, subject)
            pieces = response.aiter_raw()

            async def receive() -> bytes:
                try:
                    return await anext(pieces, b"")
                except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                    raise SourceFault(f"profile: {_name(error)}") from error

            reader = LineReader(receive, self._timeout)
            try:
                yield reader
            finally:
                await _end(pieces, END_SECONDS if reader.done else 0)

    async def _open(self, stack: AsyncExitStack, subject: Subject) -> httpx.Response:
        try:
            with trio.fail_after(self._timeout):
                response = await stack.enter_async_context(
                    _post(self._telling, f"{self._url}/profile", profile_request(subject))
                )
        except trio.TooSlowError:
            raise SourceFault(f"profile: no answer in {self._timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SourceFault(f"profile: {_name(error)}") from error
        if response.status_code != 200:
            raise SourceFault(f"profile: answered with status {response.status_code}")
        return response


def _post(client: httpx.AsyncClient, url: str, body: bytes) -> AbstractAsyncContextManager[httpx.Response]:
    return client.stream("POST", url, content=body)


async def _verdict(response: httpx.Response) -> Verdict:
    if response.status_code == 401:
        return Rejected()
    if response.status_code != 200:
        return Unavailable(f"verify: answered with status {response.status_code}")
    body = b""
    pieces = response.aiter_raw()
    try:
        async for piece in pieces:
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                break
    finally:
        await _end(pieces, 0)
    return read_answer(body)


async def _end(pieces: AsyncIterator[bytes], patience_seconds: float) -> None:
    """Reads to the end, so that the connection can be used again; or gives it up when that does not come.

    httpx reads through generators within generators. Closing the outer one leaves the others to the collector; an
    exception at the bottom, such as this cancellation, unwinds all of them.
    """
    with contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError):
        with trio.move_on_after(patience_seconds):
            async for _ in pieces:
                pass


def _name(error: Exception) -> str:
    """What happened, in words that hold no address or secret."""
    return type(error).__name__


@asynccontextmanager
async def open_http(loaded: Loaded, hasher: PasswordHasher) -> AsyncIterator[Source]:
    """The service that the configuration names. Raises ConfigFault."""
    settings = loaded.settings.live.http
    if urlsplit(settings.url).scheme not in {"http", "https"} or not urlsplit(settings.url).hostname:
        raise ConfigFault('live.http.url: expected a URL such as "https://people.example.org/live"')
    headers = {
        "accept": "application/x-ndjson, application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }
    if settings.bearer:
        headers["authorization"] = f"Bearer {settings.bearer}"
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS)
    tls = await trio.to_thread.run_sync(ssl.create_default_context)
    telling = httpx.AsyncClient(transport=OneEach(tls), headers=headers, timeout=None, trust_env=False)  # noqa: S113
    asking = httpx.AsyncClient(verify=tls, limits=limits, headers=headers, timeout=None, trust_env=False)  # noqa: S113
    async with asking, telling:
        yield HttpSource(asking, telling, settings.url, settings.timeout.seconds)
