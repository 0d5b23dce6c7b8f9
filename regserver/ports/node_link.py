"""How the nodes on one store wake each other: an engine (fanout.engine)."""

from typing import Protocol


class NodeLink(Protocol):
    """Words say that something was written, not what; several may go as one, and some may be lost. Whoever is woken reads the store.

    An engine is given a function that is called at each word of another node, and now and then without one; and one that
    is called with each text of another node.
    """

    def tell_nowait(self) -> None:
        """Wakes the other nodes."""

    def say_nowait(self, text: str) -> None:
        """Says a text to the other nodes, which the store does not keep; of MOST_TEXT at most."""

    async def run_telling(self) -> None:
        """Sends words, until cancelled. Raises nothing else."""

    async def run_listening(self) -> None:
        """Hears words, until cancelled. Raises nothing else."""

    def fault(self) -> str | None:
        """Why this node hears the others late, for the operator; None while it hears them at once, or is not meant to."""
