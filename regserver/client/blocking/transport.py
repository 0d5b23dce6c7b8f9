"""Made by tests/client/blocking_maker.py from ../transport.py, which says what it is for."""

import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from regserver.client.ask import Ask, check, retry_after
from regserver.client.fault import Unreachable

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
AGAIN = {429, 502, 503, 504}
"""Answers that say that the same request may succeed later."""


class BlockingHttpTransport:
    """The way to one server. token: of whoever asks; None before a sign-in."""

    def __init__(
        self, url: str, token: str | None, *, patience: float, deadline: float, tls: ssl.SSLContext | None
    ) -> None:
        self.url = url.rstrip("/")
        self.tls = tls
        self.token = token
        self._patience = patience
        verify = tls or ssl.create_default_context() if url.startswith("https:") else False
        self._http = httpx.Client(base_url=self.url, timeout=deadline, verify=verify, trust_env=False)

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.__exit__(kind, error, trace)

    def send(self, ask: Ask) -> httpx.Response:
        """The answer, a good one. Raises Refused, DirectoryRefused, BadAnswer, Unreachable."""
        return check(self.exchange(ask))

    def exchange(self, ask: Ask) -> httpx.Response:
        """Any answer. Where a repetition is safe, waits up to `patience` seconds for a better one. Raises Unreachable."""
        give_up = time.monotonic() + (self._patience if ask.repeatable else 0)
        pause = FIRST_PAUSE
        while True:
            answer = self._try(ask)
            wait = pause
            if isinstance(answer, httpx.Response):
                if answer.status_code not in AGAIN:
                    return answer
                wait = retry_after(answer) or pause
            if time.monotonic() + wait > give_up:
                break
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        if isinstance(answer, httpx.Response):
            return answer
        raise Unreachable(f"{self.url}: {answer!r}") from answer

    def compute(self, work: Callable[[], T]) -> T:
        """What `work` returns, which takes milliseconds of the processor."""
        return work()

    def _try(self, ask: Ask) -> httpx.Response | httpx.TransportError:
        request = ask.build(self._http, self.token)
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            return error
