"""Health checks and metrics, for operators."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from regserver.endpoint import Request, Response
from regserver.metric import CONTENT_TYPE, Metrics
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import described
from regserver.web.http.route import Route

Check = Callable[[], Awaitable[str | None]]
"""Checks one part of the server; returns None, or its fault in words for the operator."""

Part = Annotated[str, Meta(examples=["store"])]


class Alive(JsonAnswer, frozen=True):
    """The process answers."""

    status: Literal["alive"]
    version: Annotated[str, Meta(examples=["1.0.0"])]


class Ready(JsonAnswer, frozen=True):
    """Every part is well."""

    status: Literal["ready"]
    parts: Annotated[dict[Part, str], described('"ok", or what is wrong.', {"store": "ok"})]
    failing: tuple[Part, ...]


class Degraded(JsonAnswer, frozen=True):
    """Some parts fail; each is named with what is wrong."""

    http_status: ClassVar[int] = 503

    status: Literal["degraded"]
    parts: Annotated[dict[Part, str], Meta(examples=[{"store": "disk full"}])]
    failing: tuple[Part, ...]


class Exposition(Response, frozen=True, kw_only=True):
    """Metrics in Prometheus's text format."""

    content_type: str = CONTENT_TYPE


class OperationsApi:
    """checks: the parts that readiness depends on, by name. version: shown by the health routes."""

    def __init__(self, metrics: Metrics, checks: Mapping[str, Check], version: str) -> None:
        self._metrics = metrics
        self._checks = checks
        self._version = version

    def routes(self) -> tuple[Route, ...]:
        """The routes of health checks and metrics."""
        return (
            Route("operations.alive", "GET", "/health/alive", self.alive, "operation"),
            Route("operations.ready", "GET", "/health/ready", self.ready, "operation"),
            Route("operations.metrics", "GET", "/metrics", self.metrics, "operation"),
        )

    async def alive(self, _: Request) -> Alive:
        """Tell whether the process answers at all."""
        return Alive("alive", self._version)

    async def ready(self, _: Request) -> Ready | Degraded:
        """Tell whether every part is well."""
        problems = {name: await check() for name, check in self._checks.items()}
        parts = {name: problem or "ok" for name, problem in problems.items()}
        failing = tuple(sorted(name for name, problem in problems.items() if problem is not None))
        return Degraded("degraded", parts, failing) if failing else Ready("ready", parts, failing)

    async def metrics(self, _: Request) -> Exposition:
        """Get the metrics of this process."""
        return Exposition(body=self._metrics.show())
