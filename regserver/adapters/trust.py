"""Whom clients trust: the known authorities, read for the first of them, and once.

Reading them takes 30 ms, and httpx with httpcore as much and 6 MiB, which no start waits for: both are done in a thread.
"""

import ssl
from functools import cache

import trio


@cache
def read_authorities() -> ssl.SSLContext:
    """The context that all clients share. The first call takes long."""
    import httpx  # late; see "What an idle server does not load" in docs/architecture.md

    return httpx.create_ssl_context(trust_env=False)


async def known_authorities() -> ssl.SSLContext:
    """The same, read in a thread."""
    return await trio.to_thread.run_sync(read_authorities)
