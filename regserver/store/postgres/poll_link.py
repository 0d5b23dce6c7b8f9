"""The link of a node that sends no words: it looks at the store every second, and so do the others.

For one node on PostgreSQL, and where nobody may LISTEN, as behind a pooler that lends connections for a transaction.
"""

from collections.abc import Callable

import trio

from regserver.ports.node_link import NodeLink
from regserver.store.postgres.postgres_link import POLL_SECONDS


class PollLink(NodeLink):
    """on_word: called every POLL_SECONDS."""

    def __init__(self, on_word: Callable[[], None]) -> None:
        self._on_word = on_word

    def tell_nowait(self) -> None:
        """The others will see."""

    def say_nowait(self, text: str) -> None:
        """Nobody hears it."""

    async def run_telling(self) -> None:
        """Nothing is told."""

    async def run_listening(self) -> None:
        """Looks."""
        while True:
            self._on_word()
            await trio.sleep(POLL_SECONDS)

    def fault(self) -> str | None:
        """None: no word is expected."""
        return None
