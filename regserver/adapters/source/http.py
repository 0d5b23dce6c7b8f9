"""The `http` source: a service that the operator runs.

    POST {url}/verify  {"username", "password"}  →  200 {"subject"} or 401; any other answer: it cannot tell
    POST {url}/profile {"subject"}               →  200 and a stream of lines of JSON

live.http.timeout bounds a check as a whole, the time until a stream opens, and the time between two of its chunks.
Redirects are not followed and compression is not requested, since neither could be bounded.

httpcore, the engine of httpx, sends the requests. Checks are short and share a few connections. Thousands of profiles may
be open for long, so each has its own connection: a pool searches all its connections whenever a request begins or ends,
and its cost would grow with the square of their number.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import httpcore
import msgspec
import trio

from regserver.adapters.source.message import MAX_ANSWER_BYTES, profile_request, read_answer, verify_request
from regserver.adapters.source.ndjson import LineReader
from regserver.config import ConfigFault, Loaded
from regserver.domain.source_line import SourceLine
from regserver.domain.trace import current_trace
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Rejected, Source, SourceFault, Subject, Unavailable, Verdict

CHECKS_AT_ONCE = 64
IDLE_CONNECTIONS = 20
END_SECONDS = 0.2
"""How long after its last line a stream may end."""

Fields = list[tuple[bytes, bytes]]
FAULTS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
)
"""The ways in which a service or the network fails; other exceptions are bugs. Only the kind is reported: the text of an
error may contain an address or a secret."""


class Service(msgspec.Struct, frozen=True):
    """The addresses of the service, and the header fields of every request to it."""

    verify: httpcore.URL
    profile: httpcore.URL
    fields: Fields
    timeout_seconds: float


class HttpSource(Source):
    """pool: the connections for checks."""

    def __init__(self, service: Service, pool: httpcore.AsyncConnectionPool, tls: ssl.SSLContext) -> None:
        self._service = service
        self._pool = pool
        self._tls = tls
        self._turn = trio.CapacityLimiter(CHECKS_AT_ONCE)

    async def verify(self, username: str, password: str) -> Verdict:
        """Sends the check; at most CHECKS_AT_ONCE run at the same time."""
        service = self._service
        body = verify_request(username, password)
        request = self._pool.stream("POST", service.verify, headers=_traced(service.fields), content=body)
        try:
            with trio.fail_after(service.timeout_seconds):
                async with self._turn, request as response:
                    return await _verdict(response)
        except trio.TooSlowError:
            return Unavailable(f"verify: no answer in {service.timeout_seconds:g} s")
        except FAULTS as error:
            return Unavailable(f"verify: {type(error).__name__}")

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        """Opens the stream on a connection of its own; leaving the context closes it."""
        async with AsyncExitStack() as stack:
            response = await self._open(stack, subject)
            chunks = response.aiter_stream()

            async def receive() -> bytes:
                try:
                    return await anext(chunks, b"")
                except FAULTS as error:
                    raise SourceFault(f"profile: {type(error).__name__}") from error

            reader = LineReader(receive, self._service.timeout_seconds)
            try:
                yield reader
            finally:
                await _end(chunks, END_SECONDS if reader.done else 0)

    async def _open(self, stack: AsyncExitStack, subject: Subject) -> httpcore.Response:
        service = self._service
        connection = httpcore.AsyncHTTPConnection(service.profile.origin, self._tls)
        stack.push_async_callback(_close, connection)
        body = profile_request(subject)
        request = connection.stream("POST", service.profile, headers=_traced(service.fields), content=body)
        try:
            with trio.fail_after(service.timeout_seconds):
                response = await stack.enter_async_context(request)
        except trio.TooSlowError:
            raise SourceFault(f"profile: no answer in {service.timeout_seconds:g} s") from None
        except FAULTS as error:
            raise SourceFault(f"profile: {type(error).__name__}") from error
        if response.status != 200:
            raise SourceFault(f"profile: answered with status {response.status}")
        return response


def _traced(fields: Fields) -> Fields:
    """The fields of a request, with the trace that it belongs to."""
    trace = current_trace.get()
    return fields if trace is None else [*fields, (b"traceparent", trace.parent.encode())]


async def _verdict(response: httpcore.Response) -> Verdict:
    if response.status == 401:
        return Rejected()
    if response.status != 200:
        return Unavailable(f"verify: answered with status {response.status}")
    body = b""
    chunks = response.aiter_stream()
    try:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
    finally:
        await _end(chunks, 0)
    return read_answer(body)


async def _end(chunks: AsyncIterator[bytes], timeout_seconds: float) -> None:
    """Reads to the end of a stream, or cancels the reading when the end does not come.

    httpcore reads through nested generators. Closing the outer one would leave the others to the garbage collector; an
    exception in the innermost, such as this cancellation, unwinds all of them.
    """
    with contextlib.suppress(*FAULTS), trio.move_on_after(timeout_seconds):
        async for _ in chunks:
            pass


async def _close(connection: httpcore.AsyncHTTPConnection) -> None:
    with trio.CancelScope(shield=True):  # closing a socket waits for nothing
        await connection.aclose()


def check_http(loaded: Loaded) -> None:
    """Raises ConfigFault unless live.http.url has the form of a service's address."""
    if not _is_base(loaded.settings.live.http.url):
        raise ConfigFault('live.http.url: expected a URL such as "https://people.example.org/live"')


@asynccontextmanager
async def open_http(loaded: Loaded, hasher: PasswordHasher) -> AsyncIterator[Source]:
    """The service that the configuration names. Raises ConfigFault."""
    check_http(loaded)
    settings = loaded.settings.live.http
    base = settings.url.rstrip("/")
    fields: Fields = [
        (b"Accept", b"application/x-ndjson, application/json"),
        (b"Accept-Encoding", b"identity"),
        (b"Content-Type", b"application/json"),
    ]
    if settings.bearer:
        fields.append((b"Authorization", f"Bearer {settings.bearer}".encode()))
    service = Service(
        httpcore.URL(f"{base}/verify"), httpcore.URL(f"{base}/profile"), fields, settings.timeout.seconds
    )
    tls = await trio.to_thread.run_sync(ssl.create_default_context)
    async with httpcore.AsyncConnectionPool(
        tls, max_connections=CHECKS_AT_ONCE, max_keepalive_connections=IDLE_CONNECTIONS
    ) as pool:
        yield HttpSource(service, pool, tls)


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and parts.username is None
            and not (parts.query or parts.fragment)
        )
    except ValueError:  # a port that is no number
        return False
