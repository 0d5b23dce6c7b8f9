"""Health checks and metrics, for operators."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain.outcome import OperatorsOnly
from regserver.endpoint import Request, Response
from regserver.metric import CONTENT_TYPE, Metrics
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import described
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.operations.sighting import ProbeWish, Sighting, Sightings, read_probe

Check = Callable[[], Awaitable[str | None]]
"""Checks one part of the server; returns None, or its fault in words for the operator."""

Part = Annotated[str, Meta(examples=["store"])]


class Alive(JsonAnswer, frozen=True):
    """The process answers."""

    status: Literal["alive"]
    version: Annotated[str, Meta(examples=["1.0.0"])]


class Readiness(JsonAnswer, frozen=True):
    """Base of what GET /health/ready answers.

    parts: the state of each part: "ok", or what is wrong. failing: the names of those that are not well. Both are for the
    operator; others are answered without them. seen: a request that came in with the same `probe`; for the operator.
    """

    parts: Annotated[
        dict[Part, str] | UnsetType, described('"ok", or what is wrong; for the operator.', {"store": "ok"})
    ] = UNSET
    failing: Annotated[
        tuple[Part, ...] | UnsetType, Meta(description="Parts that are not well; for the operator.")
    ] = UNSET
    seen: Annotated[
        Sighting | UnsetType,
        Meta(description="A request to /health/alive with the same probe; for the operator."),
    ] = UNSET


class Ready(Readiness, frozen=True, tag_field="status", tag="ready"):
    """Every part is well."""


class Degraded(Readiness, frozen=True, tag_field="status", tag="degraded"):
    """The server answers, and some part of it fails, such as mail that is late."""


class NotReady(Readiness, frozen=True, tag_field="status", tag="not ready"):
    """A part fails that everything needs."""

    http_status: ClassVar[int] = 503


class Exposition(Response, frozen=True, kw_only=True):
    """Metrics in Prometheus's text format."""

    content_type: str = CONTENT_TYPE


class Checks(msgspec.Struct, frozen=True):
    """The parts that readiness looks at, by name.

    needed: without any of them the server is not ready, and a proxy or an orchestrator should send requests elsewhere.
    useful: some door suffers while one fails; the server is degraded, and elsewhere it would not be better.
    """

    needed: Mapping[str, Check] = {}
    useful: Mapping[str, Check] = {}


class OperationsApi:
    """admits: whether a request is the operator's. version: shown by the health routes."""

    def __init__(
        self,
        metrics: Metrics,
        checks: Checks,
        admits: Callable[[Request], bool],
        sightings: Sightings,
        version: str,
    ) -> None:
        self._metrics = metrics
        self._checks = checks
        self._admits = admits
        self._sightings = sightings
        self._version = version

    def routes(self) -> tuple[Route, ...]:
        """The routes of health checks and metrics."""
        return (
            Route("operations.alive", "GET", "/health/alive", pipeline(self.alive, read_probe), "operation"),
            Route("operations.ready", "GET", "/health/ready", pipeline(self.ready, read_probe), "operation"),
            Route("operations.metrics", "GET", "/metrics", self.metrics, "operation"),
        )

    async def alive(self, request: Request, probe: ProbeWish) -> Alive:
        """Tell whether the process answers at all."""
        self._sightings.note(request, probe)
        return Alive("alive", self._version)

    async def ready(self, request: Request, probe: ProbeWish) -> Ready | Degraded | NotReady:
        """Tell whether every part is well; to the operator, also which is not."""
        needed, useful = await _faults(self._checks.needed), await _faults(self._checks.useful)
        faults = {**needed, **useful}
        failing = tuple(sorted(name for name, fault in faults.items() if fault))
        answer = NotReady if any(needed.values()) else Degraded if failing else Ready
        if self._admits(request):
            parts = {name: fault or "ok" for name, fault in faults.items()}
            return answer(parts, failing, self._sightings.find(probe) or UNSET)
        return NotReady() if answer is NotReady else Ready()

    async def metrics(self, request: Request) -> Exposition | OperatorsOnly:
        """Get the metrics of this process."""
        return Exposition(body=self._metrics.show()) if self._admits(request) else OperatorsOnly()


async def _faults(checks: Mapping[str, Check]) -> dict[str, str | None]:
    return {name: await check() for name, check in checks.items()}
