"""Health checks and metrics, for operators."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from regserver.domain.outcome import OperatorsOnly
from regserver.endpoint import Request, Response
from regserver.metric import CONTENT_TYPE, Metrics
from regserver.service.health import Health, HealthStatus
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import described
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.operations.sighting import ProbeWish, Sighting, Sightings, read_probe

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


ANSWERS: Mapping[HealthStatus, type[Ready | Degraded | NotReady]] = {
    "ready": Ready,
    "degraded": Degraded,
    "not ready": NotReady,
}


class Exposition(Response, frozen=True, kw_only=True):
    """Metrics in Prometheus's text format."""

    content_type: str = CONTENT_TYPE


class OperationsApi:
    """admits: whether a request is the operator's. version: shown by the health routes."""

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        admits: Callable[[Request], bool],
        sightings: Sightings,
        version: str,
    ) -> None:
        self._metrics = metrics
        self._health = health
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
        found = await self._health.look()
        answer = ANSWERS[found.status]
        if self._admits(request):
            return answer(dict(found.parts), found.failing, self._sightings.find(probe) or UNSET)
        return NotReady() if answer is NotReady else Ready()

    async def metrics(self, request: Request) -> Exposition | OperatorsOnly:
        """Get the metrics of this process."""
        return Exposition(body=self._metrics.show()) if self._admits(request) else OperatorsOnly()
