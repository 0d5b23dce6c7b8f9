"""Whom clients trust: the known authorities, read when the first of them needs TLS, and once.

Reading them takes 30 ms, and httpx with httpcore as much and 6 MiB, which no start waits for: both are done in a thread.
"""

import ssl
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    import httpcore


@cache
def _trusted() -> ssl.SSLContext:
    import httpx  # late; see "What an idle server does not load" in docs/architecture.md

    return httpx.create_ssl_context(trust_env=False)


async def known_authorities() -> ssl.SSLContext:
    """The context that all clients share."""
    return await trio.to_thread.run_sync(_trusted)


class LatePool:
    """Connections of httpcore, opened by the first request. build: makes the pool. tls: whom it trusts; None: everybody known."""

    def __init__(
        self,
        build: "Callable[[ssl.SSLContext], httpcore.AsyncConnectionPool]",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._build = build
        self._tls = tls
        self._opened: httpcore.AsyncConnectionPool | None = None

    async def pool(self) -> "httpcore.AsyncConnectionPool":
        """The pool."""
        tls = self._tls or await known_authorities()
        if self._opened is None:  # another request may have opened it meanwhile
            self._opened = self._build(tls)
        return self._opened

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._opened is not None:
            await self._opened.aclose()
