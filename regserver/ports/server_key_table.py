"""Which key the store was made with."""

from typing import Protocol


class ServerKeyTable(Protocol):
    """The fingerprint of the server's own key, from which the hashes and seals in the other tables are made."""

    async def find(self) -> bytes | None:
        """The fingerprint; None in a store that no server has served yet, or only one older than fingerprints."""

    async def settle(self, fingerprint: bytes) -> bytes:
        """Keeps this fingerprint unless there is one, and returns the one that is kept. Atomic."""
