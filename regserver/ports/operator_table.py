"""Operator keys, and what was given out for the operator's page."""

from typing import Protocol

from regserver.domain.instant import Instant
from regserver.domain.operator_key import KeyId, Role, StoredKey
from regserver.domain.secret import SecretHash


class OperatorTable(Protocol):
    """Keys by the hashes of their secrets. An entry is a session at the page, or the link of the first start."""

    async def add(self, secret: SecretHash, name: str, role: Role, now: Instant) -> KeyId | None:
        """Writes a key; None when there is one of this name (atomic)."""

    async def find(self, secret: SecretHash) -> StoredKey | None:
        """The key of a secret."""

    async def list(self, limit: int) -> tuple[StoredKey, ...]:
        """All keys, by name."""

    async def revoke(self, name: str) -> bool:
        """Removes a key and its sessions; False when there is none."""

    async def add_entry(self, entry: SecretHash, key: KeyId | None, expires_at: Instant) -> None:
        """Writes a session of a key, or with None the link of the first start."""

    async def entered(self, entry: SecretHash, now: Instant) -> StoredKey | None:
        """The key of a session that has not expired."""

    async def leave(self, entry: SecretHash) -> None:
        """Ends a session."""

    async def trim_entries(self, key: KeyId, most: int) -> None:
        """Ends all sessions of a key but the `most` that live longest."""

    async def drop_links(self) -> int:
        """Ends all links; returns how many."""

    async def take_link(self, entry: SecretHash, now: Instant) -> bool:
        """Spends the link of the first start; False when it is not good (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes expired entries."""
