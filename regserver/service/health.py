"""Whether every part of the server is well: asked by the health routes, and by operators."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

Check = Callable[[], Awaitable[str | None]]
"""Checks one part of the server; returns None, or its fault in words for the operator."""
HealthStatus = Literal["ready", "degraded", "not ready"]


class HealthSeen(msgspec.Struct, frozen=True):
    """parts: by name, "ok" or what is wrong."""

    status: HealthStatus
    parts: Mapping[str, str]

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of those that are not well."""
        return tuple(sorted(name for name, state in self.parts.items() if state != "ok"))


class Health:
    """needed: without any of these parts the server is not ready, and a proxy or an orchestrator should send requests elsewhere.

    useful: some door suffers while one fails; the server is degraded, and elsewhere it would not be better.
    """

    def __init__(
        self, needed: Mapping[str, Check] | None = None, useful: Mapping[str, Check] | None = None
    ) -> None:
        self._needed, self._useful = dict(needed or {}), dict(useful or {})

    def watch(self, needed: Mapping[str, Check], useful: Mapping[str, Check]) -> None:
        """Adds parts."""
        self._needed |= needed
        self._useful |= useful

    async def look(self) -> HealthSeen:
        """Asks all parts."""
        needed, useful = await _faults(self._needed), await _faults(self._useful)
        faults = {**needed, **useful}
        status: HealthStatus = "ready"
        if any(needed.values()):
            status = "not ready"
        elif any(faults.values()):
            status = "degraded"
        return HealthSeen(status, {name: fault or "ok" for name, fault in faults.items()})


async def _faults(checks: Mapping[str, Check]) -> dict[str, str | None]:
    return {name: await check() for name, check in checks.items()}
